// Keeps the codes on the page fresh: each one is good for half a minute.
"use strict";

const shown = document.querySelectorAll("[data-code-of]");

async function refresh() {
  if (document.hidden) return;
  const answer = await fetch(shown[0].dataset.codes, { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer || !answer.ok) return;
  const codes = await answer.json();
  for (const place of shown) place.textContent = codes[place.dataset.codeOf] ?? place.textContent;
}

if (shown.length) setInterval(refresh, 10000);
