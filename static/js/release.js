/* A password handed to this page: a key pair is made here and never leaves, the worker seals to it, and what
   comes is shown once. ECDH P-256, HKDF-SHA256, AES-256-GCM; see encryption/crypto/handover.py. */
(() => {
  "use strict";

  const encode = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)));
  const decode = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

  for (const place of document.querySelectorAll("[data-release]")) {
    const part = (name) => place.querySelector(`[data-${name}]`);
    const token = place.querySelector("[name=csrfmiddlewaretoken]").value;

    const post = async (url, fields) => {
      const headers = { "X-CSRFToken": token, Accept: "application/json" };
      const answer = await fetch(url, { method: "POST", headers, body: new URLSearchParams(fields) });
      const body = await answer.json().catch(() => ({}));
      if (!answer.ok) throw new Error(body.detail || "It could not be shown.");
      return { ready: answer.status === 200, body };
    };

    const open = async (pair, sealed) => {
      const theirs = await crypto.subtle.importKey(
        "raw", decode(sealed.ephemeral), { name: "ECDH", namedCurve: "P-256" }, false, [],
      );
      const shared = await crypto.subtle.deriveBits({ name: "ECDH", public: theirs }, pair.privateKey, 256);
      const base = await crypto.subtle.importKey("raw", shared, "HKDF", false, ["deriveKey"]);
      const info = new TextEncoder().encode(`veeamsec/1|release|${place.dataset.release}`);
      const key = await crypto.subtle.deriveKey(
        { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info },
        base, { name: "AES-GCM", length: 256 }, false, ["decrypt"],
      );
      const plain = await crypto.subtle.decrypt(
        { name: "AES-GCM", iv: decode(sealed.nonce), additionalData: info }, key, decode(sealed.ciphertext),
      );
      return new TextDecoder().decode(plain);
    };

    part("show").addEventListener("click", async () => {
      part("show").disabled = true;
      part("fault").hidden = true;
      part("wait").hidden = false;
      try {
        const pair = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, false, ["deriveBits"]);
        const point = await crypto.subtle.exportKey("raw", pair.publicKey);
        await post(place.dataset.key, { public_key: encode(point) });
        for (let tries = 0; tries < 120; tries += 1) {
          const { ready, body } = await post(place.dataset.take, {});
          if (ready) {
            part("value").textContent = await open(pair, body);
            part("value").hidden = false;
            part("shown").hidden = false;
            part("ask").hidden = true;
            part("wait").hidden = true;
            return;
          }
          await new Promise((done) => { setTimeout(done, 1000); });
        }
        throw new Error("The worker did not answer. Nothing was shown.");
      } catch (error) {
        part("wait").hidden = true;
        part("fault").textContent = error.message;
        part("fault").hidden = false;
      }
    });
  }
})();
