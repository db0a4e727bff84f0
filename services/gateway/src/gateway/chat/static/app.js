// The client: a door for whoever is not signed in, and a room for each session.

import { current, follow, signIn, signOut, signUp } from "./account.js";
import { $, empty, fit, problem } from "./page.js";
import { Room } from "./room.js";
import { walk } from "./rows.js";
import { Ended } from "./session.js";

let room = null;

wireDoor();
wireRoom();
addEventListener("signed-out", leave);
addEventListener("signed-in", enter);
follow();
if (!current()) $("door").hidden = false;

function enter() {
  $("sign").reset();
  $("door").hidden = true;
  $("room").hidden = false;
  room = new Room(current());
  room.run();
}

function leave() {
  room = null;
  empty();
}

function wireDoor() {
  const form = $("sign");
  $("sign-swap").onclick = () => {
    form.classList.toggle("up");
    const up = form.classList.contains("up");
    $("sign-go").textContent = up ? "Sign up" : "Sign in";
    $("sign-swap").textContent = up ? "You have an account? Sign in" : "New here? Sign up";
  };
  form.onsubmit = async (event) => {
    event.preventDefault();
    const { name, email, password, country } = Object.fromEntries(new FormData(form));
    $("sign-go").disabled = true;
    try {
      await (form.classList.contains("up") ? signUp(name, email, password, country) : signIn(email, password));
      problem("sign-problem", null);
    } catch (error) {
      if (!(error instanceof Ended)) problem("sign-problem", error);
    } finally {
      $("sign-go").disabled = false;
    }
  };
}

function wireRoom() {
  $("out").onclick = () => signOut();
  $("back").onclick = () => room?.closeDialog();
  $("new").onclick = () => $("opener").showModal();
  $("opener").onclose = () => room?.openNew();
  $("say").onsubmit = (event) => {
    event.preventDefault();
    room?.say();
  };
  const words = $("words");
  words.oninput = () => {
    fit();
    room?.typing();
  };
  words.onkeydown = (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      room?.say();
    }
    if (event.key === "Escape") room?.giveUp();
  };
  $("answering").querySelector("button").onclick = () => room?.giveUp();
  $("again").onclick = () => room?.ask();
  $("say").onchange = (event) => event.target.id === "image" && room?.sendImage(event.target.files[0]);
  const list = $("messages");
  walk(list);
  list.onscroll = () => room?.scrolled();
  list.onclick = (event) => {
    const row = event.target.closest("li");
    for (const each of list.querySelectorAll(".tapped")) if (each !== row) each.classList.remove("tapped");
    row?.classList.toggle("tapped", !event.target.closest("button") && !row.classList.contains("tapped"));
    if (row === document.activeElement && !row.classList.contains("tapped")) row.blur(); // a second tap puts the tools away
  };
  $("down").onclick = () => room?.toEnd();
  document.addEventListener("visibilitychange", () => document.hidden || room?.seen());
}
