// What the portal's pages do beyond HTML. Everything works without it; behaviour hangs on data-* attributes.
"use strict";

(() => {
  const words = document.body.dataset;

  // Side panels: a link or form with data-panel shows the form of its page ([data-panel-body]) in a dialog.

  let panel = null;

  async function fetchPage(url, options = {}) {
    const response = await fetch(url, { ...options, headers: { "X-Panel": "1" } });
    const location = response.headers.get("X-Panel-Location");
    if (location !== null) {
      window.location.assign(location);
      return null;
    }
    return new DOMParser().parseFromString(await response.text(), "text/html");
  }

  function header(page) {
    const head = document.createElement("div"); // <header> would be a second banner of the page
    head.className = "panel-head";
    const title = document.createElement("h2");
    title.id = "panel-title";
    title.tabIndex = -1;
    const heading = page.querySelector("h1");
    title.append(...heading.childNodes);
    heading.remove();
    const close = document.createElement("button");
    close.type = "button";
    close.className = "close";
    close.dataset.panelClose = "";
    close.ariaLabel = words.wordsClose;
    close.textContent = "×";
    head.append(title, close);
    const lead = page.querySelector(".lead");
    if (lead?.textContent.trim()) head.append(lead);
    return head;
  }

  // What ties a label, a help text or a button to its field. A form may stand on the page and in the panel above it:
  // with the same ids in both, those of the panel would lead to the fields behind it.
  const TIES = ["for", "form", "list", "aria-describedby", "aria-labelledby", "aria-controls", "data-copy"];

  function tellApart(body) {
    const behind = (id) => [...document.querySelectorAll(`#${CSS.escape(id)}`)].some((one) => !panel?.contains(one));
    const renamed = new Map();
    for (const element of body.querySelectorAll("[id]")) {
      if (!behind(element.id)) continue;
      renamed.set(element.id, `panel-${element.id}`);
      element.id = renamed.get(element.id);
    }
    if (renamed.size === 0) return;
    for (const name of TIES) {
      for (const element of body.querySelectorAll(`[${name}]`)) {
        const ids = element.getAttribute(name).split(" ");
        element.setAttribute(name, ids.map((id) => renamed.get(id) ?? id).join(" "));
      }
    }
  }

  function show(page, url) {
    // An answer without a form, such as "not found", is shown as it is.
    const body = page.querySelector("[data-panel-body]") ?? page.querySelector("main");
    const head = header(page);
    // Addresses are written relative to the form's own page.
    for (const link of body.querySelectorAll("a[href]")) link.href = new URL(link.getAttribute("href"), url);
    for (const form of body.querySelectorAll("form")) form.setAttribute("action", new URL(form.getAttribute("action") ?? "", url));
    tellApart(body);
    if (panel === null) {
      panel = document.createElement("dialog");
      panel.className = "panel";
      panel.setAttribute("aria-labelledby", "panel-title");
      panel.addEventListener("close", () => {
        panel.remove();
        panel = null;
      });
      document.body.append(panel);
    }
    panel.replaceChildren(head, ...body.childNodes);
    if (!panel.open) panel.showModal();
    prepare(panel);
    // What is wrong as a whole says itself, as an alert; the first field that is wrong comes into sight with its sentence.
    const first = ["[aria-invalid=true]", "[data-errors]", "[autofocus]", "h2"].map((one) => panel.querySelector(one));
    const start = first.find((one) => one !== null);
    start.focus();
    start.closest(".field")?.scrollIntoView({ block: "nearest" });
  }

  async function openPanel(url, opener) {
    opener?.setAttribute("aria-busy", "true");
    try {
      const page = await fetchPage(url);
      if (page?.querySelector("[data-panel-body]")) show(page, url);
      else if (page) window.location.assign(url);
    } catch {
      window.location.assign(url);
    } finally {
      opener?.removeAttribute("aria-busy");
    }
  }

  async function submitPanel(form, url, data) {
    try {
      const page = await fetchPage(url, { method: "POST", body: data });
      if (page) show(page, url);
    } catch {
      release(form);
      const note = document.createElement("p");
      note.className = "note";
      note.dataset.status = "error";
      note.role = "alert";
      note.textContent = words.wordsUnreachable;
      form.querySelector("[role=alert]")?.remove();
      (form.querySelector(".body") ?? form).prepend(note);
    }
  }

  document.addEventListener("click", (event) => {
    const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    const close = event.target.closest("dialog.panel [data-panel-close]");
    const link = event.target.closest("a[data-panel]");
    if (close) {
      event.preventDefault();
      panel.close();
    } else if (link && plain) {
      event.preventDefault();
      openPanel(link.href, link);
    }
  });

  // Forms are sent once; those of a panel are sent by fetch, so that a refusal keeps what was typed.

  const DOWNLOAD_HELD = 3000; // milliseconds

  function hold(form) {
    form.dataset.sent = "";
    // Only after the browser has gathered the form, or the button's own value would be left out.
    setTimeout(() => setDisabled(form, true));
  }

  function release(form) {
    delete form.dataset.sent;
    setDisabled(form, false);
  }

  function setDisabled(form, disabled) {
    for (const button of form.elements) if (button.type === "submit") button.disabled = disabled;
    if (!disabled) refreshSelection(form);
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    const attribute = (name) => event.submitter?.getAttribute(`form${name}`) ?? form.getAttribute(name);
    const posts = attribute("method")?.toLowerCase() === "post";
    const downloads = form.hasAttribute("data-download");
    if (form.dataset.sent !== undefined) {
      event.preventDefault();
      return;
    }
    const url = new URL(attribute("action") ?? "", document.baseURI);
    const data = new URLSearchParams(new FormData(form, event.submitter));
    if (!posts && (form.matches("[data-panel]") || form.closest("dialog.panel"))) {
      event.preventDefault();
      url.search = data;
      openPanel(url.href, event.submitter);
    } else if (posts && form.closest("dialog.panel") && !downloads) {
      event.preventDefault();
      hold(form);
      submitPanel(form, url.href, data);
    } else if (posts) {
      hold(form);
      // What answers with a file leaves the page as it is, and tells nobody that it came.
      if (downloads) {
        setTimeout(() => release(form), DOWNLOAD_HELD);
        follow(document.getElementById(form.dataset.download));
      }
    }
  });

  // Rows to choose: what acts on chosen rows is ready once there is one.

  const chosen = (form, marker) => [...form.elements].filter((element) => element.hasAttribute(marker));

  function refreshSelection(form) {
    const rows = chosen(form, "data-select");
    if (rows.length === 0 && chosen(form, "data-needs-selection").length === 0) return;
    const count = rows.filter((row) => row.checked).length;
    for (const button of chosen(form, "data-needs-selection")) {
      button.disabled = count === 0;
      const figure = button.querySelector("[data-selected-count]");
      if (figure) figure.textContent = count ? `(${count})` : "";
    }
    for (const all of chosen(form, "data-select-all")) {
      all.checked = count > 0 && count === rows.length;
      all.indeterminate = count > 0 && count < rows.length;
    }
  }

  document.addEventListener("change", ({ target }) => {
    if (!target.form) return;
    if (target.hasAttribute("data-select-all")) {
      for (const row of chosen(target.form, "data-select")) row.checked = target.checked;
    }
    if (target.matches("[data-select-all], [data-select]")) refreshSelection(target.form);
  });

  // Time left runs on: the words are those of roles/wording.py.

  function span(milliseconds) {
    if (milliseconds < 60_000) return words.wordsUnder;
    const all = Math.round(milliseconds / 60_000);
    const [hours, minutes] = [Math.floor(all / 60), all % 60];
    const parts = [];
    if (hours) parts.push(words.wordsHours.replace("{hours}", hours));
    if (minutes) parts.push(words.wordsMinutes.replace("{minutes}", minutes));
    return parts.join(" ");
  }

  function countDown() {
    for (const element of document.querySelectorAll("[data-ends]")) {
      const rest = new Date(element.dataset.ends) - Date.now();
      if (element instanceof HTMLMeterElement) element.value = rest / 1000;
      else if (rest <= 0) element.textContent = element.dataset.ended;
      else if (rest <= 86_400_000) element.textContent = element.dataset.left.replace("{left}", span(rest));
    }
  }

  // What the worker is at: the part of the page that tells of it is fetched anew, and the page itself once it is done.

  async function reloadPart(element, at = location.href) {
    const answer = await fetch(at, { headers: { Accept: "text/html" } });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(element.id);
    const soon = fresh?.dataset.reload ?? fresh?.dataset.follow;
    if (!answer.ok || !soon) return location.replace(answer.url);
    element.replaceChildren(...fresh.childNodes);
    setTimeout(reloadPart, Number(soon), element, at);
  }

  for (const element of document.querySelectorAll("[data-reload]")) {
    setTimeout(reloadPart, Number(element.dataset.reload), element);
  }

  // How far a file is that a form was answered with; to look before would keep the session alive.
  function follow(element) {
    if (!element || element.dataset.followed !== undefined) return;
    element.dataset.followed = "";
    setTimeout(reloadPart, Number(element.dataset.follow), element, element.dataset.at);
  }

  // Copy buttons, where the browser lets a page copy.

  document.addEventListener("click", async ({ target }) => {
    const button = target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
    const label = button.querySelector("span");
    const before = label.textContent;
    label.role = "status";
    label.textContent = words.wordsCopied;
    setTimeout(() => {
      label.textContent = before;
    }, 2000);
  });

  // Reviewing from the keyboard, while the focus is in the list: J and K go to another row, A, D and U say something.

  const verdictKeys = { a: "approve", d: "deny", u: "dont_know" };

  document.addEventListener("keydown", (event) => {
    const form = event.target.closest?.("form[data-saying]");
    if (!form || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("textarea, select, input:not([type=radio], [type=checkbox])")) return;
    const rows = [...form.querySelectorAll("fieldset.verdicts")];
    const here = rows.findIndex((row) => row.contains(event.target));
    const key = event.key.toLowerCase();
    const said = rows[here]?.querySelector(`[data-verdict="${verdictKeys[key] ?? ""}"]`);
    const step = said ? 1 : { j: 1, k: -1 }[key];
    if (step === undefined) return;
    event.preventDefault();
    if (said) said.checked = true;
    const next = rows[Math.min(Math.max(here + step, 0), rows.length - 1)];
    next?.querySelector("input:checked, input").focus();
    next?.scrollIntoView({ block: "nearest" });
  });

  // A list that opens over the page closes again: with Escape, and when something else is used.

  const opened = "details[data-closes][open]";

  document.addEventListener("keydown", (event) => {
    const list = event.key === "Escape" && event.target.closest?.(opened);
    if (!list) return;
    list.open = false;
    list.querySelector("summary").focus();
  });

  for (const used of ["click", "focusin"]) {
    document.addEventListener(used, (event) => {
      for (const list of document.querySelectorAll(opened)) if (!list.contains(event.target)) list.open = false;
    });
  }

  // What only works with this script is hidden until it runs.

  function prepare(root) {
    for (const shown of root.querySelectorAll("[data-select-all], [data-keys]")) shown.hidden = false;
    // On a phone the tabs are one line that scrolls: the current one is shown, with some of its neighbours.
    for (const tab of root.querySelectorAll(".tabs > [aria-current]")) {
      const strip = tab.parentElement;
      strip.scrollLeft = tab.offsetLeft - strip.offsetLeft - (strip.clientWidth - tab.offsetWidth) / 2;
    }
    if (navigator.clipboard) for (const button of root.querySelectorAll("[data-copy]")) button.hidden = false;
    for (const form of root.querySelectorAll("form")) refreshSelection(form);
  }

  prepare(document);
  countDown();
  setInterval(countDown, 15_000);
  // A page from the back-forward cache comes with its old state.
  window.addEventListener("pageshow", () => {
    for (const form of document.forms) form.dataset.sent === undefined ? refreshSelection(form) : release(form);
    countDown();
  });
})();
