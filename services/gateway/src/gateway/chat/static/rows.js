// The rows of a list by keyboard: Tab stops at one of them, the arrow keys, Home and End go to the others.

export function walk(list) {
  list.addEventListener("focusin", (event) => event.target.parentElement === list && stopAt(list, event.target));
  list.addEventListener("keydown", (event) => {
    const rows = [...list.children];
    const at = rows.indexOf(event.target.closest("li"));
    const next = rows[{ ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: rows.length - 1 }[event.key]];
    if (!next || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    next.focus();
  });
}

// Where Tab stopped before, if it is there still, or at the last row.
export function stop(list) {
  stopAt(list, [...list.children].find((each) => each.tabIndex === 0) ?? list.lastElementChild);
}

function stopAt(list, row) {
  for (const each of list.children) each.tabIndex = each === row ? 0 : -1;
}
