// Quizzes: a button lays the reader's prediction beside what happened and opens the answer.
// Without this file the controls are there, and the answer opens by itself: it is a <details>.
"use strict";

for (const quiz of document.querySelectorAll("fieldset.nl-quiz")) {
  const answer = document.getElementById(quiz.id + "-answer");
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
    const right = quiz.dataset.answer;
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

// The same for what scrolls: the arrow keys move it, and do not turn the page.
for (const wide of document.querySelectorAll(".nl-scroll")) {
  wide.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") event.stopPropagation();
  });
}
