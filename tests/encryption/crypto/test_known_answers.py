"""Every primitive that we use gives the published answers and refuses what must be refused, by its class."""

import pytest
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.bindings._rust import openssl
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from encryption.crypto.wrap import KeyWrapper
from encryption.errors import WrongKey
from tests.encryption.crypto.vectors import nist, vectors, wycheproof

GCM_256 = "ciphers/AES/GCM/gcmDecrypt256.rsp"


def as_bytes(case, *names):
    return [bytes.fromhex(case.get(name, "")) for name in names]


def test_gcm_decrypts_and_refuses_as_nist_says():
    counted = {"good": 0, "bad": 0}
    for case in nist(GCM_256):
        if (case["ivlen"], case["taglen"]) != ("96", "128"):
            continue
        key, nonce, sealed, tag, bound_to, plain = as_bytes(case, "key", "iv", "ct", "tag", "aad", "pt")
        if "fail" in case:
            counted["bad"] += 1
            with pytest.raises(InvalidTag):
                AESGCM(key).decrypt(nonce, sealed + tag, bound_to)
        else:
            counted["good"] += 1
            assert AESGCM(key).decrypt(nonce, sealed + tag, bound_to) == plain
    assert min(counted.values()) > 100


def test_key_wrapping_is_gcm_as_nist_says():
    """The 32-byte cases of NIST are wrapped keys: nonce, ciphertext, tag."""
    counted = {"good": 0, "bad": 0}
    for case in nist(GCM_256):
        if (case["ivlen"], case["taglen"], case["ptlen"]) != ("96", "128", "256"):
            continue
        key, nonce, sealed, tag, bound_to, plain = as_bytes(case, "key", "iv", "ct", "tag", "aad", "pt")
        if "fail" in case:
            counted["bad"] += 1
            with pytest.raises(WrongKey):
                KeyWrapper(key).unwrap(nonce + sealed + tag, bound_to)
        else:
            counted["good"] += 1
            assert KeyWrapper(key).unwrap(nonce + sealed + tag, bound_to) == plain
    assert min(counted.values()) > 10


def test_gcm_encrypts_as_nist_says():
    counted = 0
    for case in nist("ciphers/AES/GCM/gcmEncryptExtIV256.rsp"):
        if (case["ivlen"], case["taglen"]) != ("96", "128"):
            continue
        counted += 1
        key, nonce, plain, bound_to, sealed, tag = as_bytes(case, "key", "iv", "pt", "aad", "ct", "tag")
        assert AESGCM(key).encrypt(nonce, plain, bound_to) == sealed + tag
    assert counted > 100


def test_gcm_stands_wycheproof():
    counted = 0
    for group, case in wycheproof("aes_gcm_test.json"):
        if (group["keySize"], group["ivSize"], group["tagSize"]) != (256, 96, 128):
            continue
        counted += 1
        key, nonce, plain, bound_to, sealed, tag = as_bytes(case, "key", "iv", "msg", "aad", "ct", "tag")
        if case["result"] == "valid":
            assert AESGCM(key).decrypt(nonce, sealed + tag, bound_to) == plain
        else:
            with pytest.raises(InvalidTag):
                AESGCM(key).decrypt(nonce, sealed + tag, bound_to)
    assert counted > 50


def test_hkdf_expand_is_rfc_5869():
    counted = 0
    for case in nist("KDF/rfc-5869-HKDF-SHA256.txt"):
        counted += 1
        extracted, info, expected = as_bytes(case, "prk", "info", "okm")
        assert HKDFExpand(SHA256(), len(expected), info).derive(extracted) == expected
    assert counted == 3


def test_hkdf_stands_wycheproof():
    for _group, case in wycheproof("hkdf_sha256_test.json"):
        secret, salt, info, expected = as_bytes(case, "ikm", "salt", "info", "okm")
        if case["result"] == "valid":
            extracted = HKDF.extract(SHA256(), salt or None, secret)
            assert HKDFExpand(SHA256(), case["size"], info).derive(extracted) == expected
        else:
            with pytest.raises(ValueError, match="Cannot derive keys larger"):
                HKDFExpand(SHA256(), case["size"], info)


def test_argon2id_is_rfc_9106():
    counted = 0
    for case in nist("KDF/argon2id.txt"):
        counted += 1
        password, salt, secret, data, expected = as_bytes(case, "pass", "salt", "secret", "ad", "output")
        derived = Argon2id(
            salt=salt,
            length=int(case["length"]),
            iterations=int(case["iter"]),
            lanes=int(case["lanes"]),
            memory_cost=int(case["memcost"]),
            ad=data or None,
            secret=secret or None,
        ).derive(password)
        assert derived == expected
    assert counted > 3


def test_pbkdf2_stands_wycheproof():
    for _group, case in wycheproof("pbkdf2_hmacsha256_test.json"):
        password, salt, expected = as_bytes(case, "password", "salt", "dk")
        derived = PBKDF2HMAC(SHA256(), case["dkLen"], salt, case["iterationCount"]).derive(password)
        assert derived == expected


def test_x25519_stands_wycheproof():
    for _group, case in wycheproof("x25519_test.json"):
        public, private, shared = as_bytes(case, "public", "private", "shared")
        key = X25519PrivateKey.from_private_bytes(private)
        if not any(shared):
            # A point of small order: the shared secret would be known to all.
            with pytest.raises(ValueError):
                key.exchange(X25519PublicKey.from_public_bytes(public))
        else:
            assert key.exchange(X25519PublicKey.from_public_bytes(public)) == shared


def test_ed25519_stands_wycheproof():
    for group, case in wycheproof("ed25519_test.json"):
        message, signature = as_bytes(case, "msg", "sig")
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(group["publicKey"]["pk"]))
        if case["result"] == "valid":
            key.verify(signature, message)
        else:
            with pytest.raises(InvalidSignature):
                key.verify(signature, message)


@pytest.mark.parametrize(("kem_id", "kem"), [(0x20, KEM.X25519), (0x10, KEM.P256)])
def test_hpke_is_rfc_9180(kem_id, kem):
    """Base mode, HKDF-SHA256, AES-256-GCM: the suites of the intake."""
    suite = Suite(kem, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    wanted = {"mode": 0, "kem_id": kem_id, "kdf_id": 1, "aead_id": 2}
    (case,) = [case for case in vectors("HPKE/test-vectors.json") if wanted.items() <= case.items()]
    private, enc, info = as_bytes(case, "skRm", "enc", "info")
    key = (
        X25519PrivateKey.from_private_bytes(private)
        if kem is KEM.X25519
        else derive_private_key(int.from_bytes(private, "big"), SECP256R1())
    )
    sealed, bound_to, plain = as_bytes(case["encryptions"][0], "ct", "aad", "pt")
    # The published cases bind data beside the message, which the intake leaves empty.
    opened = openssl.hpke._decrypt_with_aad(suite, enc + sealed, key, info, bound_to)
    assert opened == plain
    with pytest.raises(InvalidTag):
        openssl.hpke._decrypt_with_aad(suite, enc + sealed, key, info + b"x", bound_to)
