/* Where the names of a server's certificate lie: certificate.py and der.py, for a subjectAltName that is whole and usual. */

#ifndef HOMEPORT_HELLO_NAMES_H
#define HOMEPORT_HELLO_NAMES_H

#include <string.h>

#include "_hello_bytes.h"

enum { DER_OCTETS = 0x04, DER_OID = 0x06, DER_SEQUENCE = 0x30, DER_EXTENSIONS = 0xA3, DER_DNS = 0x82, DER_ADDRESS = 0x87 };
enum { MOST_CERTIFIED = 100, MOST_IDENTIFIERS = 64, CERTIFICATE = 11, LONGEST_NAME = 255 };

/* X.690 section 8.1: the element at the start of `rest`, which moves behind it. Its tag, -1 where there is none. */
static int der_next(Bytes *rest, Bytes *content)
{
    if (rest->size < 2 || (rest->at[0] & 0x1F) == 0x1F)
        return -1;
    int tag = rest->at[0];
    size_t size = rest->at[1], head = 2;
    if (size >= 0x80) {
        size_t count = size - 0x80;
        if (count < 1 || count > 3 || count > rest->size - 2) /* no certificate in a handshake is longer */
            return -1;
        size = 0;
        for (; head < 2 + count; head++)
            size = size << 8 | rest->at[head];
    }
    if (size > rest->size - head)
        return -1;
    *content = (Bytes){rest->at + head, size};
    *rest = (Bytes){rest->at + head + size, rest->size - head - size};
    return tag;
}

/* The first element of `outer`, which must have this tag. */
static int der_enter(Bytes outer, int tag, Bytes *content) { return der_next(&outer, content) == tag; }

/* RFC 5280 section 4.1: identifier and value of an extension. */
static int der_extension(Bytes extension, Bytes *identifier, Bytes *value)
{
    Bytes part;
    int tag = der_next(&extension, identifier);
    if (tag != DER_OID)
        return 0;
    tag = der_next(&extension, value);
    if (tag >= 0 && extension.size) { /* a mark whether it is critical stood between */
        tag = der_next(&extension, &part);
        *value = part;
    }
    return tag == DER_OCTETS && !extension.size;
}

/* The subjectAltName among the extensions; 0 where there is not just one, or an identifier stands there twice. */
static int alternative_names(Bytes extensions, Bytes *names)
{
    static const uint8_t wanted[] = {0x55, 0x1D, 0x11}; /* 2.5.29.17 */
    Bytes known[MOST_IDENTIFIERS], extension, value;
    size_t count = 0;
    int found = 0;
    while (extensions.size) {
        if (count == MOST_IDENTIFIERS || der_next(&extensions, &extension) != DER_SEQUENCE ||
            !der_extension(extension, &known[count], &value))
            return 0;
        for (size_t i = 0; i < count; i++)
            if (known[i].size == known[count].size && !memcmp(known[i].at, known[count].at, known[i].size))
                return 0;
        if (known[count].size == sizeof wanted && !memcmp(known[count].at, wanted, sizeof wanted)) {
            found = 1;
            *names = value;
        }
        count++;
    }
    return found;
}

/* RFC 5246 section 7.4.2: the certificate of the server in its message, then the elements of its subjectAltName. */
static int certified_names(Bytes message, Bytes *names)
{
    Bytes rest, part, value;
    if (message.size < 10 || message.at[0] != CERTIFICATE || get24(message.at + 1) > message.size - 4)
        return 0;
    size_t chain = get24(message.at + 1), all = chain < 6 ? 0 : get24(message.at + 4), leaf = get24(message.at + 7);
    if (all < 3 || all > chain - 3 || leaf > all - 3)
        return 0;
    if (!der_enter((Bytes){message.at + 10, leaf}, DER_SEQUENCE, &part) || !der_enter(part, DER_SEQUENCE, &rest))
        return 0;
    int tag = 0;
    while (tag >= 0 && tag != DER_EXTENSIONS)
        tag = der_next(&rest, &part);
    return tag == DER_EXTENSIONS && der_enter(part, DER_SEQUENCE, &rest) && alternative_names(rest, &value) &&
           der_enter(value, DER_SEQUENCE, names);
}

#endif
