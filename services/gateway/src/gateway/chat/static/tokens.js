// Stored is what a page that is opened again needs: tokens and ids. Names and addresses live in memory only.

export const KEY = "sampan.session";

// What every tab goes by; null when nobody is signed in.
export function read() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "null");
    if (found?.user_id && found.session_id && found.refresh_token) return found;
  } catch {
    // Not ours, or half written: nobody is signed in.
  }
  erase();
  return null;
}

export function keep(answer) {
  const tokens = {
    user_id: answer.user.user_id,
    session_id: answer.session_id,
    access_token: answer.access_token,
    refresh_token: answer.refresh_token,
    until: Date.now() + answer.expires_in_s * 1000,
  };
  localStorage.setItem(KEY, JSON.stringify(tokens));
  return tokens;
}

export const erase = () => localStorage.removeItem(KEY);
