/* The step-up of a decision: the server's options go to the authenticator, its answer goes into the form.
   The options name the challenge, which binds this one decision; see accounts/stepup_proof.py. */
(() => {
  "use strict";

  const decode = (text) => Uint8Array.from(
    atob(text.replace(/-/g, "+").replace(/_/g, "/")), (character) => character.charCodeAt(0),
  );
  const encode = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  function request(options) {
    if (window.PublicKeyCredential && PublicKeyCredential.parseRequestOptionsFromJSON) {
      return PublicKeyCredential.parseRequestOptionsFromJSON(options);
    }
    const allowed = (options.allowCredentials || []).map((one) => ({ ...one, id: decode(one.id) }));
    return { ...options, challenge: decode(options.challenge), allowCredentials: allowed };
  }

  function answer(credential) {
    const response = credential.response;
    return {
      id: credential.id,
      rawId: encode(credential.rawId),
      type: credential.type,
      authenticatorAttachment: credential.authenticatorAttachment || undefined,
      clientExtensionResults: {},
      response: {
        authenticatorData: encode(response.authenticatorData),
        clientDataJSON: encode(response.clientDataJSON),
        signature: encode(response.signature),
        userHandle: response.userHandle ? encode(response.userHandle) : null,
      },
    };
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const button = form.querySelector("button");
    const fault = form.querySelector("[data-fault]");
    const options = JSON.parse(document.getElementById(form.dataset.passkey).textContent);
    form.hidden = !window.PublicKeyCredential;
    form.addEventListener("submit", async (event) => {
      if (form.elements.passkey.value) return;
      event.preventDefault();
      button.disabled = true;
      fault.hidden = true;
      try {
        const credential = await navigator.credentials.get({ publicKey: request(options) });
        form.elements.passkey.value = JSON.stringify(answer(credential));
        form.submit();
      } catch (error) {
        fault.textContent = error.name === "NotAllowedError"
          ? "The passkey was not used. Nothing happened; try again."
          : `The passkey could not be used (${error.name}). Nothing happened.`;
        fault.hidden = false;
        button.disabled = false;
      }
    });
  }
})();
