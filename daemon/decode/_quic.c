/* Keys of QUIC's Initials and what they open, in C: the twin of daemon/decode/quic_keys.py, which says what is done and why.

   Rule 1: what a packet is worth is decided by its tag, which is compared before a byte is decrypted.
   Rule 2: only whole packets are opened here; a cut one has no tag, and is the business of the twin.

   Stable ABI (Python 3.11 and later). */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030b0000
#include <Python.h>

#include "_quic_aes.h"
#include "_quic_hash.h"

enum { NONCE = 12, SAMPLE = 16, TAG = 16, MOST_HEADER = 65535 };

/* What `keys` makes and `open_packet` takes, as the bytes of an object: the keys themselves first, for whoever wants to see them. */
typedef struct {
    uint8_t key[AES_BLOCK], nonce[NONCE], mask[AES_BLOCK];
    RoundKeys payload, header;
    HashKey hash;
} Prepared;

typedef struct {
    const uint8_t *at;
    Py_ssize_t size;
} Text;

static int text_of(PyObject *bytes, Text *text)
{
    char *at;
    if (PyBytes_AsStringAndSize(bytes, &at, &text->size))
        return -1;
    text->at = (const uint8_t *)at;
    return 0;
}

PyDoc_STRVAR(keys_doc,
"keys(salt, dcid, labels)\n"
"\n"
"Keys of one side as bytes for open_packet(): key, nonce and header key (16, 12, 16 bytes), then what is made of them.\n"
"`labels` are the HkdfLabels of the side, key, iv and hp, each with the counter 1 behind it.");

static PyObject *keys(PyObject *module, PyObject *arguments)
{
    const Tables *tables = PyModule_GetState(module);
    Text salt, dcid, labels[4];
    PyObject *given[6];
    uint8_t secret[DIGEST], derived[3][DIGEST];
    if (!PyArg_ParseTuple(arguments, "SS(SSSS):keys", &given[0], &given[1], &given[2], &given[3], &given[4], &given[5]) ||
        text_of(given[0], &salt) || text_of(given[1], &dcid))
        return NULL;
    for (int i = 0; i < 4; i++)
        if (text_of(given[2 + i], &labels[i]))
            return NULL;
    if (salt.size > BLOCK)
        return PyErr_Format(PyExc_ValueError, "a salt has at most %d bytes", BLOCK);
    hmac(pads_of(salt.at, (size_t)salt.size), dcid.at, (size_t)dcid.size, secret); /* HKDF-Extract */
    hmac(pads_of(secret, DIGEST), labels[0].at, (size_t)labels[0].size, secret);
    Pads pads = pads_of(secret, DIGEST);
    for (int i = 0; i < 3; i++)
        hmac(pads, labels[1 + i].at, (size_t)labels[1 + i].size, derived[i]);
    Prepared made;
    memset(&made, 0, sizeof made); /* also what lies between its members */
    memcpy(made.key, derived[0], AES_BLOCK);
    memcpy(made.nonce, derived[1], NONCE);
    memcpy(made.mask, derived[2], AES_BLOCK);
    expand_key(tables, made.key, &made.payload);
    expand_key(tables, made.mask, &made.header);
    hash_key(tables, &made.payload, &made.hash);
    return PyBytes_FromStringAndSize((const char *)&made, sizeof made);
}

/* The plaintext of the packet [0, end), None where the tag says that these are not its keys. */
static PyObject *open_whole(const Tables *tables, const Prepared *made, const uint8_t *packet, Py_ssize_t number_pos,
                            Py_ssize_t end)
{
    uint8_t mask[AES_BLOCK], nonce[NONCE];
    encrypt(tables, &made->header, packet + number_pos + 4, mask); /* RFC 9001 section 5.4.3 */
    uint8_t first = packet[0] ^ (mask[0] & 0x0F);
    Py_ssize_t width = (first & 3) + 1, body = number_pos + width, size = end - TAG - body;
    PyObject *open = PyBytes_FromStringAndSize((const char *)packet, body), *plain = NULL;
    if (!open)
        return NULL;
    uint8_t *header = (uint8_t *)PyBytes_AsString(open); /* nobody else has seen it yet */
    header[0] = first;
    memcpy(nonce, made->nonce, NONCE);
    for (Py_ssize_t i = 0; i < width; i++) {
        header[number_pos + i] ^= mask[1 + i];
        nonce[NONCE - width + i] ^= header[number_pos + i];
    }
    if (!tag_holds(tables, &made->payload, &made->hash, nonce, header, (size_t)body, packet + body, (size_t)size)) {
        Py_DECREF(open);
        Py_RETURN_NONE;
    }
    plain = PyBytes_FromStringAndSize(NULL, size);
    if (plain)
        decrypt(tables, &made->payload, nonce, packet + body, (size_t)size, (uint8_t *)PyBytes_AsString(plain));
    Py_DECREF(open);
    return plain;
}

PyDoc_STRVAR(open_doc,
"open_packet(keys, packet, number_pos, end)\n"
"\n"
"The plaintext of a whole Initial of at least 20 bytes behind `number_pos`; None where these are not its keys.");

static PyObject *open_packet(PyObject *module, PyObject *arguments)
{
    PyObject *made, *bytes;
    Py_ssize_t number_pos, end;
    Text packet, blob;
    if (!PyArg_ParseTuple(arguments, "SSnn:open_packet", &made, &bytes, &number_pos, &end) || text_of(made, &blob) ||
        text_of(bytes, &packet))
        return NULL;
    if (blob.size != sizeof(Prepared) || number_pos < 1 || number_pos > MOST_HEADER || end > packet.size ||
        end - number_pos < 4 + SAMPLE)
        return PyErr_Format(PyExc_ValueError, "no keys, or no whole packet");
    /* The bytes of an object begin at a multiple of a word, behind its own fields. */
    return open_whole(PyModule_GetState(module), (const Prepared *)(const void *)blob.at, packet.at, number_pos, end);
}

static PyMethodDef METHODS[] = {
    {"keys", keys, METH_VARARGS, keys_doc},
    {"open_packet", open_packet, METH_VARARGS, open_doc},
    {NULL, NULL, 0, NULL},
};

static int module_exec(PyObject *module)
{
    make_tables(PyModule_GetState(module));
    return 0;
}

static PyModuleDef_Slot SLOTS[] = {{Py_mod_exec, module_exec}, {0, NULL}};

static PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT,
    .m_name = "daemon.decode._quic",
    .m_doc = "Keys of QUIC's Initials; see daemon/decode/quic_keys.py.",
    .m_size = sizeof(Tables),
    .m_methods = METHODS,
    .m_slots = SLOTS,
};

PyMODINIT_FUNC PyInit__quic(void)
{
    return PyModuleDef_Init(&MODULE);
}
