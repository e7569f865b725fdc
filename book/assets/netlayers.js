// Quizzes: a button lays the reader's prediction beside what happened and opens the answer.
// Without this file the controls are there, and the answer opens by itself: it is a <details>.
"use strict";

const given = (quiz) => quiz.querySelector("input[type=radio]:checked") || quiz.querySelector("input[type=text]")?.value.trim();

for (const quiz of document.querySelectorAll("fieldset.nl-quiz")) {
  const answer = document.querySelector(`details[data-for~="${quiz.id}"]`);
  const verdict = quiz.querySelector(".nl-verdict");
  if (!answer || !verdict) continue;

  const predicted = () => {
    const chosen = quiz.querySelector("input[type=radio]:checked");
    if (chosen) return { value: chosen.value, words: chosen.parentElement.textContent.trim() };
    const field = quiz.querySelector("input[type=text]");
    if (!field || !field.value.trim()) return null;
    return { value: field.value.replace(/[,_' ]/g, "").replace(/[a-z]+$/i, ""), words: field.value.trim() };
  };

  const show = () => {
    const guess = predicted();
    if (!guess) {
      verdict.textContent = "Predict first: a guess is enough. Or open the answer below.";
      return;
    }
    const others = answer.dataset.with.split(" ").map((id) => document.getElementById(id));
    if (others.some((other) => other && other !== quiz && !given(other))) {
      verdict.textContent = "Your prediction: " + guess.words + ". Predict what is asked with it, too: one run answers both.";
      return;
    }
    const right = answer.dataset.answer;
    verdict.textContent = "Your prediction: " + guess.words + ". " +
      (right === "" ? "Lay it beside what happened." :
        right === guess.value ? "That is what happened." : "The run went another way: see why.");
    answer.open = true;
  };

  const button = document.createElement("button");
  button.type = "button";
  button.className = "nl-button";
  button.textContent = "Show what happens";
  button.addEventListener("click", show);
  verdict.before(button);
  for (const field of quiz.querySelectorAll("input")) {
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") { event.preventDefault(); show(); }
      event.stopPropagation(); // The arrow keys choose an answer here; mdBook would turn the page.
    });
  }
}

// What scrolls: the arrow keys move it, and do not turn the page; and a line says that there is more at its side.
const fits = () => {
  for (const wide of document.querySelectorAll(".nl-scroll")) {
    const scrolls = wide.scrollWidth > wide.clientWidth + 1;
    let hint = wide.previousElementSibling;
    if (!hint?.matches(".nl-hint")) {
      hint = document.createElement("p");
      hint.className = "nl-hint";
      hint.textContent = "\u2194 wider than the page: scroll it sideways";
      wide.before(hint);
    }
    hint.hidden = !scrolls;
    wide.tabIndex = scrolls ? 0 : -1;
  }
  // Code scrolls in a box of its own, and the keyboard must get there (WCAG 2.1.1).
  for (const code of document.querySelectorAll("pre > code")) {
    if (code.scrollWidth > code.clientWidth + 1) code.tabIndex = 0;
  }
};
for (const wide of document.querySelectorAll(".nl-scroll")) {
  wide.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") event.stopPropagation();
  });
}
fits();
window.addEventListener("resize", fits);
document.addEventListener("toggle", fits, true);

// On paper every fold is open, as in the style sheet; afterwards those that were closed are closed again.
let opened = [];
window.addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")];
  for (const fold of opened) fold.open = true;
});
window.addEventListener("afterprint", () => {
  for (const fold of opened) fold.open = false;
});
