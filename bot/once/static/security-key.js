// Asks the browser for a security key and submits its answer with the form. What the key is to sign comes with the page.
"use strict";

const bytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const named = (credentials) => (credentials || []).map((each) => ({ ...each, id: bytes(each.id) }));

async function proof(options) {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: named(options.allowCredentials),
  };
  const { id, rawId, type, response } = await navigator.credentials.get({ publicKey });
  return {
    id,
    rawId: text(rawId),
    type,
    response: {
      clientDataJSON: text(response.clientDataJSON),
      authenticatorData: text(response.authenticatorData),
      signature: text(response.signature),
      userHandle: response.userHandle ? text(response.userHandle) : null,
    },
  };
}

async function newKey(options) {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: named(options.excludeCredentials),
  };
  const { id, rawId, type, response } = await navigator.credentials.create({ publicKey });
  return {
    id,
    rawId: text(rawId),
    type,
    response: {
      clientDataJSON: text(response.clientDataJSON),
      attestationObject: text(response.attestationObject),
      transports: response.getTransports ? response.getTransports() : [],
    },
  };
}

function said(error, creating) {
  if (error.name === "InvalidStateError") return "This security key is registered for your account already.";
  if (error.name === "NotAllowedError") return "The security key wasn't used, or not in time. Try again.";
  if (creating) return "This security key can't be registered here. It needs a PIN or a fingerprint.";
  return "The security key didn't work here. Try again, or use the code of your authenticator app.";
}

for (const button of document.querySelectorAll("button[data-options]")) {
  const form = button.form;
  const field = form.querySelector("input[data-answer]");
  const hint = form.querySelector("[data-said]");
  const code = form.querySelector("#code");
  const creating = field.name === "attestation";
  if (!window.PublicKeyCredential) {
    hint.textContent = "This browser can't use security keys.";
    continue;
  }
  button.hidden = false;
  button.addEventListener("click", async () => {
    if (code) code.required = false;
    const complete = form.reportValidity();
    if (code) code.required = true;
    if (!complete) return;
    button.disabled = true;
    hint.textContent = "Use your security key now.";
    try {
      const options = JSON.parse(button.dataset.options);
      field.value = JSON.stringify(await (creating ? newKey(options) : proof(options)));
      form.submit();
    } catch (error) {
      button.disabled = false;
      hint.textContent = said(error, creating);
    }
  });
}
