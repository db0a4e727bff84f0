// The page's fixed parts: found by id, and emptied of whoever was signed in.

export const $ = (id) => document.getElementById(id);

export function problem(id, error) {
  $(id).hidden = !error;
  $(id).textContent = error ? error.message : "";
}

// The field for words is as high as what stands in it.
export function fill(words) {
  $("words").value = words;
  fit();
}

export function fit() {
  $("words").style.height = "auto";
  if ($("words").value) $("words").style.height = `${$("words").scrollHeight}px`;
}

// Nothing of whoever was signed in stays: not on the page, not in the address or the title.
export function empty() {
  for (const id of ["dialogs", "messages", "me", "my-id", "talk-title", "talk-note", "typing", "sign-problem", "open-problem"]) $(id).replaceChildren();
  for (const id of ["answering", "missing"]) $(id).querySelector("span").replaceChildren();
  for (const form of document.forms) form.reset();
  // What they choose in a file picker that still stands open goes to a field that is not on the page.
  $("image").replaceWith($("image").cloneNode());
  for (const viewer of document.querySelectorAll("dialog.viewer")) viewer.remove();
  if ($("opener").open) $("opener").close();
  $("opener").returnValue = "left";
  for (const id of ["answering", "missing", "down", "no-dialogs", "sign-problem", "open-problem"]) $(id).hidden = true;
  $("link").classList.remove("live");
  $("typing").classList.remove("problem");
  document.title = "Sampan chat";
  history.replaceState(null, "", location.pathname);
  $("sign-go").disabled = false;
  $("room").hidden = true;
  $("room").classList.remove("talking");
  $("talk").classList.remove("on");
  $("door").hidden = false;
}
