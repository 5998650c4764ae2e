/* The page's script: sends forms without leaving the page, and refreshes the parts marked data-live when the
   workspace says that something changed. Children of a live part that didn't change on the server are left alone,
   so that nobody loses what they are typing; what was typed into one that did change is carried over. */
"use strict";

const served = new WeakMap(); // element -> the HTML that the server sent for it
const $ = (selector, from = document) => from.querySelector(selector);
const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
const fields = (from) => $$("textarea, select, input:not([type=hidden], [type=file])", from);
const identity = (field) => `${field.form?.getAttribute("action")} ${field.name} ${/radio|checkbox/.test(field.type) ? field.value : ""}`;

function remember(root) {
  for (const part of $$("[data-live]", root)) for (const child of part.children) served.set(child, child.outerHTML);
}

/* ---- live parts ---- */

function changedByHand(field) {
  if (/radio|checkbox/.test(field.type)) return field.checked !== field.defaultChecked;
  if (field.tagName === "SELECT") return [...field.options].some((option) => option.selected !== option.defaultSelected);
  return field.value !== field.defaultValue;
}

function carryOver(from, to) {
  const typed = new Map(fields(from).filter((field) => changedByHand(field) || field === document.activeElement).map((field) => [identity(field), field]));
  let focus = null;
  for (const field of fields(to)) {
    const old = typed.get(identity(field));
    if (!old) continue;
    if (changedByHand(old)) {
      if (/radio|checkbox/.test(field.type)) field.checked = old.checked;
      else if (field.multiple && field.options) [...field.options].forEach((option, at) => (option.selected = old.options[at]?.selected));
      else field.value = old.value;
    }
    if (old === document.activeElement) focus = [field, old.selectionStart, old.selectionEnd];
  }
  $$("details", to).forEach((details, at) => (details.open = $$("details", from)[at]?.open ?? details.open));
  if (to.matches("details")) to.open = from.open;
  const editor = $("form.edit", to);
  if (editor && $("form.edit", from)) editor.hidden = $("form.edit", from).hidden;
  return () => {
    if (!focus) return;
    focus[0].focus({ preventScroll: true });
    if (focus[1] !== null && focus[0].setSelectionRange && focus[0].tagName !== "SELECT") try { focus[0].setSelectionRange(focus[1], focus[2]); } catch { /* date and number fields have no selection */ }
  };
}

function renew(part, fresh) {
  const known = new Map([...part.children].map((child) => [child.id, child]));
  let before = null;
  for (const child of [...fresh.children]) {
    const html = child.outerHTML;
    const old = child.id ? known.get(child.id) : null;
    let shown = old;
    if (!old) shown = document.importNode(child, true);
    else if (served.get(old) !== html) {
      shown = document.importNode(child, true);
      const settle = carryOver(old, shown);
      const scrolled = $(".modal-body", old)?.scrollTop ?? 0;
      old.replaceWith(shown);
      if (shown.tagName === "DIALOG") { shown.showModal(); $(".modal-body", shown).scrollTop = scrolled; }
      settle();
    }
    served.set(shown, html);
    known.delete(child.id);
    const place = before ? before.nextElementSibling : part.firstElementChild;
    if (place !== shown) part.insertBefore(shown, place);
    before = shown;
  }
  for (const gone of known.values()) gone.remove();
  while (before && before.nextElementSibling) before.nextElementSibling.remove();
  if (!before) part.replaceChildren();
}

let refreshing = false, again = false;
async function refresh() {
  if (refreshing) { again = true; return; }
  refreshing = true;
  try {
    do {
      again = false;
      const answer = await fetch(location.href, { headers: { "X-Refresh": "1" } });
      if (!answer.ok) break;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const low = $$("[data-bottom]").filter(isLow);
      for (const part of $$("[data-live]")) { const other = fresh.getElementById(part.id); if (other) renew(part, other); }
      low.forEach(toBottom);
      settle();
    } while (again);
  } catch { /* the sandbox is stopping; the event stream will tell when it is back */ } finally { refreshing = false; }
}

const isLow = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 80;
const toBottom = (box) => { box.scrollTop = box.scrollHeight; };

function settle() {
  for (const dialog of $$("dialog:not([open])")) {
    dialog.showModal();
    (fields(dialog)[0] ?? $(".modal footer .button:last-child", dialog)).focus();
  }
}

function listen() {
  let source = null;
  const open = () => {
    if (source) return;
    source = new EventSource(document.body.dataset.changes);
    source.addEventListener("change", refresh);
    source.addEventListener("open", () => { document.body.dataset.live = "yes"; refresh(); });
  };
  // A browser allows few connections to one server, so a hidden tab gives its own back.
  document.addEventListener("visibilitychange", () => { if (document.hidden) { source?.close(); source = null; } else open(); });
  window.addEventListener("pagehide", () => { source?.close(); source = null; });
  window.addEventListener("pageshow", open);
  open();
}

/* ---- what a person does ---- */

let toastTimer = 0;
function toast(text) {
  const box = $("#toast");
  box.textContent = text;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (box.textContent = ""), 8000);
}

function showErrors(form, errors) {
  $$(".b-input .error", form).forEach((old) => { old.closest(".b-input").classList.remove("invalid"); old.remove(); });
  let first = null;
  for (const box of $$("[data-block]", form)) {
    const text = errors[box.dataset.block];
    if (!text) continue;
    const line = Object.assign(document.createElement("p"), { className: "error", textContent: text });
    line.setAttribute("role", "alert");
    box.classList.add("invalid");
    (box.querySelector(".hint") ?? box).insertAdjacentElement(box.querySelector(".hint") ? "beforebegin" : "beforeend", line);
    first ??= fields(box)[0];
  }
  first?.focus();
}

async function send(url, data, form) {
  const answer = await fetch(url, { method: "POST", body: data }).catch(() => null);
  if (!answer) { toast("The workspace isn't running any more. Start it again and reload this page."); return null; }
  const told = await answer.json().catch(() => ({ notice: "That didn't work. Please try again." }));
  if (told.notice) toast(told.notice);
  if (told.errors && form) showErrors(form, told.errors);
  if (told.go) location.assign(told.go);
  else await refresh();
  return answer.ok ? told : null;
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("form.act")) return;
  event.preventDefault();
  const button = event.submitter;
  if ((form.dataset.busy && !form.matches(".composer")) || (button?.dataset.confirm && !window.confirm(button.dataset.confirm))) return;
  const data = new FormData(form, button);
  const clicks = form.dataset.click && button?.name === "click";
  const url = clicks ? form.dataset.click : button?.getAttribute("formaction") ?? form.getAttribute("action");
  if (form.matches(".composer")) {
    if (!data.get("text").trim() && !$("[type=file]", form).files.length) return;
    form.reset();
    chosen(form);
    keepDraft(form);
    grow($("textarea", form));
  }
  form.dataset.busy = "yes";
  button?.setAttribute("aria-busy", "true");
  const told = await send(url, data, form);
  delete form.dataset.busy;
  button?.removeAttribute("aria-busy");
  if (!told && form.matches(".composer") && !$("textarea", form).value) $("textarea", form).value = data.get("text");
  if (told && form.matches(".edit")) form.hidden = true;
  if (form.matches(".composer")) $$("[data-bottom]").filter((box) => box.parentElement === form.parentElement).forEach(toBottom);
});

document.addEventListener("change", (event) => {
  const field = event.target;
  if (field.type === "file") return chosen(field.form);
  if (!field.dataset.act) return;
  const data = new FormData(field.form);
  data.set("click", field.dataset.act);
  send(field.form.dataset.click ?? field.form.getAttribute("action"), data, null);
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-click]");
  if (link) {
    const form = link.closest("form"), data = new FormData(form);
    data.set("click", link.dataset.click);
    send(form.dataset.click ?? form.getAttribute("action"), data, null);
  }
  if (event.target.closest("[data-dismiss]")) dismiss(event.target.closest("dialog"));
  if (event.target.closest("[data-edit]")) {
    const editor = $("form.edit", event.target.closest(".message"));
    editor.hidden = !editor.hidden;
    if (editor.hidden) editor.reset();
    else { const box = $("textarea", editor); box.value = editor.dataset.text; grow(box); box.focus(); box.setSelectionRange(box.value.length, box.value.length); }
  }
  for (const menu of $$("details.overflow[open]")) if (!menu.contains(event.target)) menu.open = false;
});

function dismiss(dialog) {
  const data = new FormData();
  data.set("view", dialog.dataset.view);
  send(dialog.dataset.close, data, null);
}

document.addEventListener("cancel", (event) => { if (event.target.matches("dialog")) { event.preventDefault(); dismiss(event.target); } }, true);

document.addEventListener("keydown", (event) => {
  const box = event.target;
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing && box.matches?.("[data-enter]")) {
    event.preventDefault();
    box.form.requestSubmit($("button:not([type=button], [formaction])", box.form));
  }
  if (event.key === "Escape" && !$("dialog[open]")) {
    const editor = box.closest?.("form.edit");
    if (editor) { editor.hidden = true; editor.reset(); }
    else $("[data-close-thread]")?.click();
  }
});

/* ---- the message box ---- */

function grow(box) {
  box.style.height = "auto";
  box.style.height = `${Math.min(box.scrollHeight + 2, 220)}px`;
}
const draftKey = (form) => `draft ${form.dataset.draft}`;
function keepDraft(form) {
  const text = $("textarea", form).value;
  if (text) sessionStorage.setItem(draftKey(form), text);
  else sessionStorage.removeItem(draftKey(form));
}
function chosen(form) {
  const files = $("[type=file]", form)?.files ?? [];
  const box = $(".chosen", form);
  if (box) box.textContent = [...files].map((file) => file.name).join(", ");
}
document.addEventListener("input", (event) => {
  if (event.target.tagName !== "TEXTAREA") return;
  grow(event.target);
  if (event.target.form.matches(".composer")) keepDraft(event.target.form);
});

/* ---- the authenticator's countdown ---- */

setInterval(() => {
  const left = $("[data-left]");
  if (!left) return;
  const seconds = Number(left.dataset.left) - 1;
  left.dataset.left = seconds;
  left.textContent = `${Math.max(seconds, 0)} s`;
  $("progress").value = Math.max(seconds, 0);
  if (seconds <= 0) refresh();
}, 1000);

remember(document);
settle();
$$("[data-bottom]").forEach(toBottom);
for (const form of $$(".composer")) {
  $("textarea", form).value = sessionStorage.getItem(draftKey(form)) ?? "";
  grow($("textarea", form));
}
if (!$("dialog[open]")) ($(".thread .composer textarea") ?? $(".composer textarea"))?.focus({ preventScroll: true });
listen();
