// The page's script: builds the form from the service's own list of types, shows the code while it is typed, saves it.
// Everything is posted: what people put into codes (passwords, addresses) must not stand in an address or a history.

"use strict";

const WAIT_MS = 250;
const LONG_FIELDS = new Set(["note", "address", "body", "message", "description"]);
const TYPE_NAMES = {
  url: "Web address", text: "Text", wifi: "Wi-Fi access", vcard: "Contact", email: "E-mail",
  sms: "Text message", phone: "Phone number", geo: "Place", event: "Calendar entry",
};

const element = (id) => document.getElementById(id);
let types = [];
let shown = null;
let timer = 0;
let running = null;

function words(name, type) {
  if (name === "data") return TYPE_NAMES[type] ?? "Content";
  if (name === "ssid") return "Network name";
  const text = name.replaceAll("_", " ");
  return text[0].toUpperCase() + text.slice(1);
}

function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function fieldRow(field, type) {
  const id = `field-${field.name}`;
  const isLong = LONG_FIELDS.has(field.name) || (type === "text" && field.name === "data");
  const input = make(isLong ? "textarea" : "input", { id, name: field.name, required: field.required });
  input.setAttribute("aria-describedby", `${id}-hint`);
  input.autocomplete = "off";
  if (field.name === "password") input.spellcheck = false;
  const label = make("label", { htmlFor: id }, words(field.name, type));
  if (!field.required) label.append(" ", make("span", { className: "optional" }, "(optional)"));
  const hint = make("p", { id: `${id}-hint`, className: "hint" }, field.hint);
  return make("div", { className: "field" }, label, input, hint);
}

function showFields() {
  const type = types.find((candidate) => candidate.type === element("type").value);
  const fields = element("fields");
  fields.replaceChildren(fields.querySelector("legend"));
  for (const field of type.fields) fields.append(fieldRow(field, type.type));
  clear("");
}

function request(format) {
  const fields = {};
  for (const input of element("fields").querySelectorAll("input, textarea")) {
    if (input.value !== "") fields[input.name] = input.value;
  }
  const body = {
    type: element("type").value,
    fields,
    format,
    ec: element("ec").value,
    dark: element("dark").value,
    light: element("light").value,
  };
  if (format === "png") body.size = element("size").value;
  return body;
}

async function ask(format, signal) {
  const response = await fetch("/api/v1/qr", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(request(format)),
    signal,
  });
  if (response.ok) return response.blob();
  const problem = await response.json().catch(() => ({ detail: "The service did not answer as expected." }));
  const error = new Error(problem.detail);
  error.field = problem.field;
  throw error;
}

function clear(message, field) {
  element("problem").textContent = message;
  for (const input of element("fields").querySelectorAll("input, textarea")) {
    if (input.name === field) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }
  setCode(null);
}

function setCode(blob) {
  if (shown) URL.revokeObjectURL(shown);
  shown = blob ? URL.createObjectURL(blob) : null;
  const image = element("code");
  image.hidden = !blob;
  element("empty").hidden = Boolean(blob);
  if (blob) {
    image.src = shown;
    image.alt = `QR code: ${TYPE_NAMES[element("type").value] ?? element("type").value}`;
  } else {
    image.removeAttribute("src");
    image.alt = "";
  }
  element("save-svg").disabled = !blob;
  element("save-png").disabled = !blob;
}

async function update() {
  const missing = [...element("fields").querySelectorAll(":required")].some((input) => input.value === "");
  if (missing) {
    clear("");
    return;
  }
  running?.abort();
  running = new AbortController();
  try {
    const blob = await ask("svg", running.signal);
    clear("");
    setCode(blob);
  } catch (error) {
    if (error.name !== "AbortError") clear(error.message, error.field);
  }
}

function later() {
  clearTimeout(timer);
  timer = setTimeout(update, WAIT_MS);
}

async function save(format) {
  try {
    const blob = await ask(format);
    const address = URL.createObjectURL(blob);
    make("a", { href: address, download: `qr-${element("type").value}.${format}` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  } catch (error) {
    element("problem").textContent = error.message;
  }
}

/** The service's own list of types. A service that fails or is away is asked again, and the page says so meanwhile. */
async function knownTypes() {
  for (let wait = 500; ; wait = Math.min(2 * wait, 10_000)) {
    const response = await fetch("/api/v1/types").catch(() => undefined);
    const list = response?.ok ? await response.json().catch(() => undefined) : undefined;
    if (list) return list.types;
    element("problem").textContent = "The service does not answer at present. Trying again …";
    await new Promise((resume) => setTimeout(resume, wait));
  }
}

async function start() {
  types = await knownTypes();
  element("problem").textContent = "";
  for (const { type } of types) {
    element("type").append(make("option", { value: type }, TYPE_NAMES[type] ?? words(type)));
  }
  showFields();
  element("type").addEventListener("change", showFields);
  element("form").addEventListener("input", later);
  element("form").addEventListener("submit", (event) => {
    event.preventDefault();
    update();
  });
  element("save-svg").addEventListener("click", () => save("svg"));
  element("save-png").addEventListener("click", () => save("png"));
}

start();
