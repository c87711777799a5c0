/*
 * The lope sensor protocol, version 1.0, in one C11 header for firmware.
 *
 * Encoder and decoder for every message of SPEC.md: frames, requests, replies, events, capabilities, time exchange. No
 * allocation, no globals, no libc beyond <stdint.h>, <stddef.h> and <string.h>. Include it wherever it is needed; every
 * function is `static inline`, so what is not used costs nothing.
 *
 * Functions that decode return LOPE_OK or the rule that the bytes break (lope_rule_name gives its name in SPEC.md).
 * Functions that encode return the number of bytes written, or the negative of the rule, or -LOPE_BUFFER.
 *
 * The messages are described once, as lists of fields in the order of the wire (LOPE_..._FIELDS). Structs, readers and
 * writers are made from these lists, so they cannot disagree.
 *
 * Licence: MIT OR Apache-2.0.
 */
#ifndef LOPE_PROTOCOL_H
#define LOPE_PROTOCOL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define LOPE_MAJOR 1u
#define LOPE_MINOR 0u
#define LOPE_NO_INDEX 0xFFFFFFFFu
#define LOPE_NO_TIME 0xFFFFFFFFFFFFull
#define LOPE_FRAME_HEADER 16u
#define LOPE_LONGEST_FRAME 244u
#define LOPE_MOST_STREAMS 8u
#define LOPE_SMALLEST_MTU 100u

/* ------------------------------------------------------------------------------------------------------------- rules */

enum {
    LOPE_OK,
    LOPE_TRUNCATED,
    LOPE_ATT_LENGTH, /* answer the write by ATT error 0D, not by a reply */
    LOPE_MAJOR_DIFFERS,
    LOPE_CRC,
    LOPE_UNKNOWN_KIND,  /* count it and go on; not a fault */
    LOPE_UNKNOWN_EVENT, /* count it and go on; not a fault */
    LOPE_COUNT,
    LOPE_LENGTH,
    LOPE_CFG_ID,
    LOPE_INDEX,
    LOPE_TIME,
    LOPE_OP,
    LOPE_PARAM,
    LOPE_UTF8,
    LOPE_BUFFER /* the caller's buffer is too small */
};

static inline const char *lope_rule_name(int rule) {
    static const char *const names[] = {"ok",     "truncated", "att_length", "major", "crc",  "unknown_kind",
                                        "unknown_event", "count", "length",     "cfg_id", "index", "time",
                                        "op",     "param",     "utf8",       "buffer"};
    return rule >= 0 && rule <= LOPE_BUFFER ? names[rule] : "?";
}

/* --------------------------------------------------------------------------------------------------------- checksums */

/* CRC-16/IBM-3740, to be continued: start with 0xFFFF. */
static inline uint16_t lope_crc16(uint16_t crc, const uint8_t *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        crc = (uint16_t)(crc ^ ((uint16_t)bytes[i] << 8));
        for (int bit = 0; bit < 8; bit++) {
            crc = (uint16_t)((uint32_t)crc << 1 ^ ((crc & 0x8000u) ? 0x1021u : 0u));
        }
    }
    return crc;
}

/* CRC-32/ISO-HDLC of a calibration blob. */
static inline uint32_t lope_crc32(const uint8_t *bytes, size_t length) {
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & 1u) ? (crc >> 1) ^ 0xEDB88320u : crc >> 1;
        }
    }
    return ~crc;
}

/* ------------------------------------------------------------------------------------------------------------ fields */

/* Field types of the lists, and what holds them. */
typedef uint8_t lope_u8;
typedef uint16_t lope_u16;
typedef uint32_t lope_u32;
typedef uint64_t lope_u48;
typedef uint64_t lope_u64;
typedef int16_t lope_i16;

/* Takes fields off the front. Past the end it gives 0 and remembers it: ask once, when all is read. */
typedef struct {
    const uint8_t *at;
    size_t left;
    int past_end;
} lope_reader;

static inline uint64_t lope_get(lope_reader *r, size_t bytes) {
    uint64_t value = 0;
    if (r->left < bytes) {
        r->past_end = 1;
        r->left = 0;
        return 0;
    }
    for (size_t i = bytes; i-- > 0;) {
        value = value << 8 | r->at[i];
    }
    r->at += bytes;
    r->left -= bytes;
    return value;
}

#define LOPE_GET_u8(r) ((lope_u8)lope_get(r, 1))
#define LOPE_GET_u16(r) ((lope_u16)lope_get(r, 2))
#define LOPE_GET_u32(r) ((lope_u32)lope_get(r, 4))
#define LOPE_GET_u48(r) ((lope_u48)lope_get(r, 6))
#define LOPE_GET_u64(r) ((lope_u64)lope_get(r, 8))
#define LOPE_GET_i16(r) ((lope_i16)(uint16_t)lope_get(r, 2))

/* Puts fields onto the end. Past the capacity it writes nothing and remembers it: ask once, when all is written. */
typedef struct {
    uint8_t *out;
    size_t capacity;
    size_t length;
} lope_writer;

static inline void lope_put(lope_writer *w, uint64_t value, size_t bytes) {
    for (size_t i = 0; i < bytes; i++, w->length++) {
        if (w->length < w->capacity) {
            w->out[w->length] = (uint8_t)(value >> (8 * i));
        }
    }
}

static inline void lope_put_bytes(lope_writer *w, const uint8_t *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        lope_put(w, bytes[i], 1);
    }
}

#define LOPE_PUT_u8(w, v) lope_put(w, v, 1)
#define LOPE_PUT_u16(w, v) lope_put(w, v, 2)
#define LOPE_PUT_u32(w, v) lope_put(w, v, 4)
#define LOPE_PUT_u48(w, v) lope_put(w, v, 6)
#define LOPE_PUT_u64(w, v) lope_put(w, v, 8)
#define LOPE_PUT_i16(w, v) lope_put(w, (uint16_t)(v), 2)

static inline int lope_written(const lope_writer *w) {
    return w->length <= w->capacity ? (int)w->length : -LOPE_BUFFER;
}

#define LOPE_FIELD(type, name) lope_##type name;
/* These two use `message`, `r` and `w` of the function around them. */
#define LOPE_READ(type, name) message->name = LOPE_GET_##type(r);
#define LOPE_WRITE(type, name) LOPE_PUT_##type(w, message->name);

/* A struct of these fields with its reader and writer. */
#define LOPE_MESSAGE(name, FIELDS)                                                     \
    typedef struct {                                                                   \
        FIELDS(LOPE_FIELD)                                                             \
    } lope_##name;                                                                     \
    static inline void lope_read_##name(lope_reader *r, lope_##name *message) {        \
        FIELDS(LOPE_READ)                                                              \
    }                                                                                  \
    static inline void lope_write_##name(lope_writer *w, const lope_##name *message) { \
        FIELDS(LOPE_WRITE)                                                             \
    }

/* ------------------------------------------------------------------------------------------------------------ frames */

enum { LOPE_IMU6, LOPE_IMU9, LOPE_HIGH_G, LOPE_MARKS, LOPE_GAP, LOPE_VENDOR = 15 };

enum {
    LOPE_BACKFILL = 1 << 3,
    LOPE_ACC_CLIPPED = 1 << 4,
    LOPE_GYR_CLIPPED = 1 << 5,
    LOPE_AFTER_GAP = 1 << 6,
    LOPE_TIME_ESTIMATED = 1 << 7
};

enum { LOPE_OVERWRITTEN = 1, LOPE_FREED, LOPE_NOT_SAMPLED, LOPE_STORAGE_FAULT };

/* Bytes of an entry of a kind of data; 0 for other kinds. */
static inline uint8_t lope_entry_bytes(uint8_t kind) {
    static const uint8_t bytes[] = {12, 18, 6, 8};
    return kind <= LOPE_MARKS ? bytes[kind] : 0;
}

/* Most entries of a kind in one frame. */
static inline uint8_t lope_most_entries(uint8_t kind) {
    static const uint8_t most[] = {19, 12, 38, 28};
    return kind <= LOPE_MARKS ? most[kind] : 0;
}

/* Most entries of a kind of data in one frame at an ATT MTU; 0 if not even one fits. */
static inline uint8_t lope_entries_per_frame(uint8_t kind, uint16_t att_mtu) {
    uint8_t bytes = lope_entry_bytes(kind);
    if (bytes == 0 || att_mtu < LOPE_FRAME_HEADER + 3u) {
        return 0;
    }
    unsigned room = (att_mtu - (LOPE_FRAME_HEADER + 3u)) / bytes;
    return room < lope_most_entries(kind) ? (uint8_t)room : lope_most_entries(kind);
}

typedef struct {
    uint8_t kind;
    uint8_t stream;
    uint8_t flags; /* LOPE_BACKFILL and so on; not the stream */
    uint32_t index;
    uint64_t t_us;
    uint8_t cfg_id;
    uint8_t n;              /* 0 in a gap */
    const uint8_t *entries; /* n entries as they are on the air; NULL in a gap */
    uint32_t gap_count;     /* of a gap */
    uint8_t gap_reason;
} lope_frame;

static inline uint16_t lope_frame_crc(const uint8_t *frame, size_t length) {
    return lope_crc16(lope_crc16(0xFFFF, frame, 14), frame + LOPE_FRAME_HEADER, length - LOPE_FRAME_HEADER);
}

/* True if `count` indices from `first` on end at FFFF FFFF or before. */
static inline int lope_indices_fit(uint32_t first, uint32_t count) { return count <= LOPE_NO_INDEX - first; }

/* Reads a notification of Stream. The entries point into `bytes`. */
static inline int lope_frame_decode(const uint8_t *bytes, size_t length, lope_frame *f) {
    memset(f, 0, sizeof *f);
    if (length < LOPE_FRAME_HEADER) {
        return LOPE_TRUNCATED;
    }
    if (bytes[0] >> 4 != LOPE_MAJOR) {
        return LOPE_MAJOR_DIFFERS;
    }
    lope_reader reader = {bytes, length, 0}, *r = &reader;
    f->kind = LOPE_GET_u8(r) & 15;
    uint8_t flags = LOPE_GET_u8(r);
    f->stream = flags & 7;
    f->flags = flags & 0xF8;
    f->index = LOPE_GET_u32(r);
    f->t_us = LOPE_GET_u48(r);
    f->cfg_id = LOPE_GET_u8(r);
    f->n = LOPE_GET_u8(r);
    if (LOPE_GET_u16(r) != lope_frame_crc(bytes, length)) {
        return LOPE_CRC;
    }
    if (f->kind == LOPE_GAP) {
        if (f->n != 0) {
            return LOPE_COUNT;
        }
        if (length != LOPE_FRAME_HEADER + 8) {
            return LOPE_LENGTH;
        }
        f->gap_count = LOPE_GET_u32(r);
        f->gap_reason = LOPE_GET_u8(r);
        if (f->gap_count == 0) {
            return LOPE_COUNT;
        }
        return lope_indices_fit(f->index, f->gap_count) ? LOPE_OK : LOPE_INDEX;
    }
    if (f->kind > LOPE_MARKS) {
        return LOPE_UNKNOWN_KIND;
    }
    if (f->n == 0 || f->n > lope_most_entries(f->kind)) {
        return LOPE_COUNT;
    }
    if (length != LOPE_FRAME_HEADER + (size_t)f->n * lope_entry_bytes(f->kind)) {
        return LOPE_LENGTH;
    }
    if (f->cfg_id == 0) {
        return LOPE_CFG_ID;
    }
    if (!lope_indices_fit(f->index, f->n)) {
        return LOPE_INDEX;
    }
    if (f->t_us == LOPE_NO_TIME) {
        return LOPE_TIME;
    }
    f->entries = bytes + LOPE_FRAME_HEADER;
    return LOPE_OK;
}

/* Axis of an entry of imu6, imu9 or high_g: 0-2 acceleration, 3-5 angular rate, 6-8 magnetic field. */
static inline int16_t lope_axis(const lope_frame *f, unsigned entry, unsigned axis) {
    lope_reader r = {f->entries + entry * lope_entry_bytes(f->kind) + 2 * axis, 2, 0};
    return LOPE_GET_i16(&r);
}

/* Puts an axis in its place among entries that are being collected for a frame. */
static inline void lope_put_axis(uint8_t *entries, uint8_t kind, unsigned entry, unsigned axis, int16_t value) {
    lope_writer w = {entries + entry * lope_entry_bytes(kind) + 2 * axis, 2, 0};
    LOPE_PUT_i16(&w, value);
}

/* Writes a frame. `f->entries` may already stand in its place, 16 bytes into `out`, so that samples need no second copy. */
static inline int lope_frame_encode(const lope_frame *f, uint8_t *out, size_t capacity) {
    size_t body = f->kind == LOPE_GAP ? 8 : (size_t)f->n * lope_entry_bytes(f->kind);
    size_t length = LOPE_FRAME_HEADER + body;
    if (f->kind > LOPE_GAP) {
        return -LOPE_UNKNOWN_KIND;
    }
    if (f->kind == LOPE_GAP ? f->n != 0 || f->gap_count == 0 : f->n == 0 || f->n > lope_most_entries(f->kind)) {
        return -LOPE_COUNT;
    }
    if (f->kind != LOPE_GAP && f->cfg_id == 0) {
        return -LOPE_CFG_ID;
    }
    if (!lope_indices_fit(f->index, f->kind == LOPE_GAP ? f->gap_count : f->n)) {
        return -LOPE_INDEX;
    }
    if (f->t_us > LOPE_NO_TIME || (f->kind != LOPE_GAP && f->t_us == LOPE_NO_TIME)) {
        return -LOPE_TIME;
    }
    if (f->stream >= LOPE_MOST_STREAMS) {
        return -LOPE_PARAM;
    }
    if (capacity < length) {
        return -LOPE_BUFFER;
    }
    lope_writer writer = {out, capacity, 0}, *w = &writer;
    LOPE_PUT_u8(w, LOPE_MAJOR << 4 | f->kind);
    LOPE_PUT_u8(w, (f->flags & 0xF8u) | f->stream);
    LOPE_PUT_u32(w, f->index);
    LOPE_PUT_u48(w, f->t_us);
    LOPE_PUT_u8(w, f->cfg_id);
    LOPE_PUT_u8(w, f->n);
    LOPE_PUT_u16(w, 0);
    if (f->kind == LOPE_GAP) {
        LOPE_PUT_u32(w, f->gap_count);
        LOPE_PUT_u32(w, f->gap_reason); /* the reason and three reserved bytes */
    } else {
        memmove(out + LOPE_FRAME_HEADER, f->entries, body);
    }
    uint16_t crc = lope_frame_crc(out, length);
    out[14] = (uint8_t)crc;
    out[15] = (uint8_t)(crc >> 8);
    return (int)length;
}

/* ----------------------------------------------------------------------------------------------------- configuration */

#define LOPE_CONFIG_FIELDS(X)                                                                                    \
    X(u8, stream) X(u8, cfg_id) X(u8, kind) X(u8, flags) X(u32, rate_mhz) X(u32, acc_scale) X(u32, gyr_scale)    \
    X(u32, mag_scale) X(u16, acc_range_g) X(u16, gyr_range_dps) X(u16, acc_delay_us) X(u16, gyr_delay_us)        \
    X(u16, acc_clip) X(u16, gyr_clip) X(u32, first_index)
LOPE_MESSAGE(config, LOPE_CONFIG_FIELDS)

/* ---------------------------------------------------------------------------------------------------------- requests */

enum {
    LOPE_HELLO = 1,
    LOPE_GET_CAPS,
    LOPE_GET_CONFIG,
    LOPE_SET_CONFIG,
    LOPE_START,
    LOPE_RESUME,
    LOPE_STOP,
    LOPE_RANGE,
    LOPE_ACK,
    LOPE_IDENTIFY,
    LOPE_CALIB_READ,
    LOPE_GET_STATUS,
    LOPE_ERASE
};

enum {
    LOPE_STATUS_OK,
    LOPE_STATUS_OP,
    LOPE_STATUS_LENGTH,
    LOPE_STATUS_PARAM,
    LOPE_STATUS_STATE,
    LOPE_STATUS_SESSION,
    LOPE_STATUS_EXISTS,
    LOPE_STATUS_UNREAD,
    LOPE_STATUS_OWNED,
    LOPE_STATUS_BUSY,
    LOPE_STATUS_MTU,
    LOPE_STATUS_AUTH,
    LOPE_STATUS_VERSION,
    LOPE_STATUS_NOT_FOUND,
    LOPE_STATUS_POWER,
    LOPE_STATUS_HARDWARE,
    LOPE_STATUS_HELLO_FIRST,
    LOPE_STATUS_CCCD,
    LOPE_STATUS_NOT_ATTACHED
};

#define LOPE_HELLO_REQUEST_FIELDS(X) X(u8, host_major) X(u8, host_minor)
#define LOPE_PAGE_FIELDS(X) X(u8, page)
#define LOPE_CONFIG_NAME_FIELDS(X) X(u8, stream) X(u8, cfg_id)
#define LOPE_WISH_FIELDS(X) X(u8, stream) X(u8, flags) X(u32, rate_mhz) X(u16, acc_range_g) X(u16, gyr_range_dps)
#define LOPE_START_REQUEST_FIELDS(X) X(u64, session_id) X(u16, linger_s) X(u8, flags)
#define LOPE_SESSION_NAME_FIELDS(X) X(u64, session_id)
#define LOPE_SPAN_FIELDS(X) X(u8, stream) X(u32, first) X(u16, count)
#define LOPE_UPTO_FIELDS(X) X(u8, stream) X(u32, upto)
#define LOPE_BLINK_FIELDS(X) X(u8, seconds) X(u8, pattern)
#define LOPE_OFFSET_FIELDS(X) X(u16, offset)
#define LOPE_STREAM_NAME_FIELDS(X) X(u8, stream)
LOPE_MESSAGE(hello_request, LOPE_HELLO_REQUEST_FIELDS)
LOPE_MESSAGE(page, LOPE_PAGE_FIELDS)
LOPE_MESSAGE(config_name, LOPE_CONFIG_NAME_FIELDS)
LOPE_MESSAGE(wish, LOPE_WISH_FIELDS)
LOPE_MESSAGE(start_request, LOPE_START_REQUEST_FIELDS)
LOPE_MESSAGE(session_name, LOPE_SESSION_NAME_FIELDS)
LOPE_MESSAGE(span, LOPE_SPAN_FIELDS)
LOPE_MESSAGE(upto, LOPE_UPTO_FIELDS)
LOPE_MESSAGE(blink, LOPE_BLINK_FIELDS)
LOPE_MESSAGE(offset, LOPE_OFFSET_FIELDS)
LOPE_MESSAGE(stream_name, LOPE_STREAM_NAME_FIELDS)

/* Operation, name of the body in the union, type of the body. */
#define LOPE_REQUESTS(X)                                                                                      \
    X(LOPE_HELLO, hello, hello_request) X(LOPE_GET_CAPS, get_caps, page)                                      \
    X(LOPE_GET_CONFIG, get_config, config_name) X(LOPE_SET_CONFIG, set_config, wish)                          \
    X(LOPE_START, start, start_request) X(LOPE_RESUME, resume, session_name) X(LOPE_STOP, stop, session_name) \
    X(LOPE_RANGE, range, span) X(LOPE_ACK, ack, upto) X(LOPE_IDENTIFY, identify, blink)                       \
    X(LOPE_CALIB_READ, calib_read, offset) X(LOPE_GET_STATUS, get_status, stream_name)                        \
    X(LOPE_ERASE, erase, session_name)

#define LOPE_MEMBER(op, name, type) lope_##type name;
typedef struct {
    uint8_t op;
    uint8_t txn;
    union {
        LOPE_REQUESTS(LOPE_MEMBER)
    } body;
} lope_request;

/* Bytes of a request with its head; 0 for an operation that does not exist. */
static inline size_t lope_request_length(uint8_t op) {
    static const uint8_t lengths[] = {0, 4, 3, 4, 12, 13, 10, 10, 9, 7, 4, 4, 3, 10};
    return op <= LOPE_ERASE ? lengths[op] : 0;
}

static inline int lope_request_check(const lope_request *q) {
    int bad = q->txn == 0;
    switch (q->op) {
    case LOPE_HELLO:
        bad |= q->body.hello.host_major == 0;
        break;
    case LOPE_GET_CONFIG:
        bad |= q->body.get_config.stream > 7;
        break;
    case LOPE_SET_CONFIG:
        bad |= q->body.set_config.stream > 7 || q->body.set_config.flags > 1;
        break;
    case LOPE_START:
        bad |= q->body.start.session_id == 0 || q->body.start.flags > 1;
        break;
    case LOPE_RESUME:
    case LOPE_STOP:
    case LOPE_ERASE:
        bad |= q->body.resume.session_id == 0;
        break;
    case LOPE_RANGE:
        bad |= q->body.range.stream > 7 || q->body.range.count == 0 ||
               !lope_indices_fit(q->body.range.first, q->body.range.count);
        break;
    case LOPE_ACK:
        bad |= q->body.ack.stream > 7 || q->body.ack.upto == LOPE_NO_INDEX;
        break;
    case LOPE_IDENTIFY:
        bad |= q->body.identify.seconds > 30 || q->body.identify.pattern > 3;
        break;
    case LOPE_GET_STATUS:
        bad |= q->body.get_status.stream > 7;
        break;
    default:
        break;
    }
    return bad ? LOPE_PARAM : LOPE_OK;
}

/* Reads a write to Control. LOPE_ATT_LENGTH: answer by ATT error 0D. Other rules: answer by lope_refuse. */
static inline int lope_request_decode(const uint8_t *bytes, size_t length, lope_request *q) {
    memset(q, 0, sizeof *q);
    if (length < 2) {
        return LOPE_ATT_LENGTH;
    }
    q->op = bytes[0];
    q->txn = bytes[1];
    if (lope_request_length(q->op) == 0) {
        return LOPE_OP;
    }
    if (length != lope_request_length(q->op)) {
        return LOPE_LENGTH;
    }
    lope_reader r = {bytes + 2, length - 2, 0};
    switch (q->op) {
#define LOPE_CASE(number, name, type)             \
    case number:                                  \
        lope_read_##type(&r, &q->body.name);      \
        break;
        LOPE_REQUESTS(LOPE_CASE)
#undef LOPE_CASE
    default:
        break;
    }
    return lope_request_check(q);
}

static inline int lope_request_encode(const lope_request *q, uint8_t *out, size_t capacity) {
    lope_writer w = {out, capacity, 0};
    if (lope_request_length(q->op) == 0) {
        return -LOPE_OP;
    }
    if (lope_request_check(q) != LOPE_OK) {
        return -lope_request_check(q);
    }
    LOPE_PUT_u8(&w, q->op);
    LOPE_PUT_u8(&w, q->txn);
    switch (q->op) {
#define LOPE_CASE(number, name, type)             \
    case number:                                  \
        lope_write_##type(&w, &q->body.name);     \
        break;
        LOPE_REQUESTS(LOPE_CASE)
#undef LOPE_CASE
    default:
        break;
    }
    return lope_written(&w);
}

/* The reply of three bytes to a request that lope_request_decode refused, or to one that failed with a status. */
static inline void lope_refuse(const uint8_t *request, uint8_t status, uint8_t out[3]) {
    out[0] = request[0] | 0x80;
    out[1] = request[1];
    out[2] = status;
}

/* The status that answers a rule of lope_request_decode. */
static inline uint8_t lope_status_of_rule(int rule) {
    return rule == LOPE_OP ? LOPE_STATUS_OP : rule == LOPE_LENGTH ? LOPE_STATUS_LENGTH : LOPE_STATUS_PARAM;
}

/* ------------------------------------------------------------------------------------------------------ capabilities */

enum {
    LOPE_TLV_VENDOR = 1,
    LOPE_TLV_PRODUCT,
    LOPE_TLV_FIRMWARE,
    LOPE_TLV_HARDWARE,
    LOPE_TLV_STREAM = 0x10,
    LOPE_TLV_RING,
    LOPE_TLV_LIMITS,
    LOPE_TLV_CLOCK,
    LOPE_TLV_FEATURES
};

#define LOPE_RING_FIELDS(X) X(u8, stream) X(u32, capacity) X(u8, storage)
#define LOPE_LIMITS_FIELDS(X) X(u16, max_range) X(u16, max_linger_s) X(u8, max_configs)
#define LOPE_CLOCK_FIELDS(X) X(u16, accuracy_ppm) X(u32, tick_ns) X(u8, ping_stamp)
#define LOPE_FEATURES_FIELDS(X) X(u32, bits)
LOPE_MESSAGE(ring, LOPE_RING_FIELDS)
LOPE_MESSAGE(limits, LOPE_LIMITS_FIELDS)
LOPE_MESSAGE(clock, LOPE_CLOCK_FIELDS)
LOPE_MESSAGE(features, LOPE_FEATURES_FIELDS)

/* A TLV as it is on the air. Read the value with lope_reader and lope_read_ring and so on. */
typedef struct {
    uint8_t type;
    uint8_t length;
    const uint8_t *value;
} lope_tlv;

/* Walks over a page: set `rest` to lope_caps.tlvs and zero the rest. */
typedef struct {
    const uint8_t *rest;
    size_t length;
    uint8_t seen[32];
} lope_tlv_walk;

static inline int lope_is_utf8(const uint8_t *s, size_t length) {
    size_t i = 0;
    while (i < length) {
        uint8_t lead = s[i];
        unsigned more = lead < 0x80 ? 0 : lead >= 0xC2 && lead < 0xE0 ? 1 : (lead & 0xF0) == 0xE0 ? 2
                        : lead >= 0xF0 && lead < 0xF5                 ? 3
                                                                      : 9;
        if (more == 9 || length - i <= more) {
            return 0;
        }
        for (unsigned k = 1; k <= more; k++) {
            if ((s[i + k] & 0xC0) != 0x80) {
                return 0;
            }
        }
        /* Longer than needed, surrogates, above 10FFFF. */
        if ((lead == 0xE0 && s[i + 1] < 0xA0) || (lead == 0xED && s[i + 1] > 0x9F) ||
            (lead == 0xF0 && s[i + 1] < 0x90) || (lead == 0xF4 && s[i + 1] > 0x8F)) {
            return 0;
        }
        i += more + 1;
    }
    return 1;
}

static inline int lope_tlv_check(const lope_tlv *tlv) {
    lope_reader r = {tlv->value, tlv->length, 0};
    switch (tlv->type) {
    case LOPE_TLV_VENDOR:
    case LOPE_TLV_PRODUCT:
    case LOPE_TLV_FIRMWARE:
    case LOPE_TLV_HARDWARE:
        return lope_is_utf8(tlv->value, tlv->length) ? LOPE_OK : LOPE_UTF8;
    case LOPE_TLV_STREAM: {
        uint8_t stream = LOPE_GET_u8(&r);
        (void)LOPE_GET_u8(&r);
        for (unsigned list = 0; list < 3; list++) {
            unsigned count = LOPE_GET_u8(&r);
            for (unsigned i = 0; i < count; i++) {
                (void)lope_get(&r, list == 0 ? 4 : 2);
            }
        }
        return r.past_end ? (stream > 7 ? LOPE_PARAM : LOPE_LENGTH) : stream > 7 ? LOPE_PARAM : LOPE_OK;
    }
    case LOPE_TLV_RING:
        if (tlv->length > 0 && tlv->value[0] > 7) {
            return LOPE_PARAM;
        }
        return tlv->length < 6 ? LOPE_LENGTH : LOPE_OK;
    case LOPE_TLV_LIMITS:
        return tlv->length < 5 ? LOPE_LENGTH : LOPE_OK;
    case LOPE_TLV_CLOCK:
        return tlv->length < 7 ? LOPE_LENGTH : LOPE_OK;
    case LOPE_TLV_FEATURES:
        return tlv->length < 4 ? LOPE_LENGTH : LOPE_OK;
    default:
        return LOPE_OK;
    }
}

/* The next TLV that counts. Returns LOPE_OK with tlv->value set, LOPE_OK with tlv->value NULL at the end, or a rule. */
static inline int lope_tlv_next(lope_tlv_walk *walk, lope_tlv *tlv) {
    memset(tlv, 0, sizeof *tlv);
    while (walk->length > 0) {
        if (walk->length < 2 || walk->length - 2 < walk->rest[1]) {
            return LOPE_LENGTH;
        }
        lope_tlv next = {walk->rest[0], walk->rest[1], walk->rest + 2};
        walk->rest += 2u + next.length;
        walk->length -= 2u + next.length;
        uint8_t bit = (uint8_t)(1u << (next.type & 7)), *seen = &walk->seen[next.type >> 3];
        int first = !(*seen & bit);
        *seen |= bit;
        if (first || next.type == LOPE_TLV_STREAM || next.type == LOPE_TLV_RING) {
            int rule = lope_tlv_check(&next);
            if (rule == LOPE_OK) {
                *tlv = next;
            }
            return rule;
        }
    }
    return LOPE_OK;
}

/* Adds a TLV to a page. */
static inline void lope_tlv_put(lope_writer *w, uint8_t type, const uint8_t *value, uint8_t length) {
    LOPE_PUT_u8(w, type);
    LOPE_PUT_u8(w, length);
    lope_put_bytes(w, value, length);
}

/* ----------------------------------------------------------------------------------------------------------- replies */

#define LOPE_HELLO_REPLY_FIELDS(X)                                                                          \
    X(u8, major) X(u8, minor) X(u8, state) X(u8, security) X(u8, n_streams) X(u32, boot_id) X(u64, pod_uid)
#define LOPE_STARTED_FIELDS(X) X(u48, t_us) X(u8, n)
#define LOPE_VIEW_FIELDS(X) X(u8, state) X(u8, reason) X(u32, session_boot_id) X(u8, n)
#define LOPE_ROW_FIELDS(X) X(u8, stream) X(u8, cfg_id) X(u32, oldest) X(u32, next)
#define LOPE_ACKED_FIELDS(X) X(u8, stream) X(u32, acked)
#define LOPE_PIECE_FIELDS(X) X(u16, total) X(u16, offset) X(u32, crc32)
#define LOPE_STATUS_FIELDS(X)                                                                                    \
    X(u8, state) X(u48, t_us) X(u8, battery_percent) X(i16, temperature_cdeg) X(u8, stream) X(u8, cfg_id)        \
    X(u32, oldest) X(u32, next) X(u32, acked) X(u32, overruns)
#define LOPE_PAGES_FIELDS(X) X(u8, page) X(u8, n_pages)
LOPE_MESSAGE(hello_reply, LOPE_HELLO_REPLY_FIELDS)
LOPE_MESSAGE(started, LOPE_STARTED_FIELDS)
LOPE_MESSAGE(view, LOPE_VIEW_FIELDS)
LOPE_MESSAGE(row, LOPE_ROW_FIELDS)
LOPE_MESSAGE(acked, LOPE_ACKED_FIELDS)
LOPE_MESSAGE(piece, LOPE_PIECE_FIELDS)
LOPE_MESSAGE(status, LOPE_STATUS_FIELDS)
LOPE_MESSAGE(pages, LOPE_PAGES_FIELDS)

typedef struct {
    uint8_t op;
    uint8_t txn;
    uint8_t status;
    union {
        lope_hello_reply hello; /* also with LOPE_STATUS_VERSION */
        lope_pages caps;
        lope_config config; /* GET_CONFIG, SET_CONFIG */
        lope_started started;
        lope_view view; /* RESUME, STOP */
        lope_span range;
        lope_acked ack;
        lope_piece piece;
        lope_status stream;
    } body;
    lope_row rows[LOPE_MOST_STREAMS]; /* START (stream and cfg_id only), RESUME, STOP: started.n or view.n of them */
    const uint8_t *tail;              /* GET_CAPS: TLVs. CALIB_READ: the piece. Points into the message. */
    size_t tail_length;
} lope_reply;

static inline int lope_reply_has_body(const lope_reply *p) {
    return p->status == LOPE_STATUS_OK || (p->op == LOPE_HELLO && p->status == LOPE_STATUS_VERSION);
}

static inline int lope_read_rows(lope_reader *r, lope_reply *p, uint8_t n) {
    if (n > LOPE_MOST_STREAMS) {
        return LOPE_COUNT;
    }
    if (r->left < n * (p->op == LOPE_START ? 2u : 10u)) {
        return LOPE_LENGTH;
    }
    for (uint8_t i = 0; i < n; i++) {
        if (p->op == LOPE_START) {
            p->rows[i].stream = LOPE_GET_u8(r);
            p->rows[i].cfg_id = LOPE_GET_u8(r);
        } else {
            lope_read_row(r, &p->rows[i]);
        }
        if (p->rows[i].stream > 7) {
            return LOPE_PARAM;
        }
        if (p->rows[i].cfg_id == 0) {
            return LOPE_CFG_ID;
        }
    }
    return LOPE_OK;
}

static inline int lope_caps_check(const lope_reply *p) {
    lope_tlv_walk walk = {p->tail, p->tail_length, {0}};
    lope_tlv tlv;
    int rule = LOPE_OK;
    if (p->body.caps.page >= p->body.caps.n_pages) {
        return LOPE_PARAM;
    }
    do {
        rule = lope_tlv_next(&walk, &tlv);
    } while (rule == LOPE_OK && tlv.value != NULL);
    return rule;
}

/* Reads an indication whose first byte has the high bit. */
static inline int lope_reply_decode(const uint8_t *bytes, size_t length, lope_reply *p) {
    memset(p, 0, sizeof *p);
    if (length < 3) {
        return LOPE_TRUNCATED;
    }
    p->op = bytes[0] & 0x7F;
    p->txn = bytes[1];
    p->status = bytes[2];
    if (!(bytes[0] & 0x80) || lope_request_length(p->op) == 0) {
        return LOPE_OP;
    }
    if (p->txn == 0) {
        return LOPE_PARAM;
    }
    if (!lope_reply_has_body(p)) {
        return LOPE_OK;
    }
    lope_reader r = {bytes + 3, length - 3, 0};
    uint8_t stream = 0, rows = 0;
    uint64_t time = 0;
    switch (p->op) {
    case LOPE_HELLO:
        lope_read_hello_reply(&r, &p->body.hello);
        p->body.hello.security &= 15; /* reserved bits are ignored on receipt, here and below */
        break;
    case LOPE_GET_CAPS:
        lope_read_pages(&r, &p->body.caps);
        break;
    case LOPE_GET_CONFIG:
    case LOPE_SET_CONFIG:
        lope_read_config(&r, &p->body.config);
        p->body.config.flags &= 1;
        stream = p->body.config.stream;
        break;
    case LOPE_START:
        lope_read_started(&r, &p->body.started);
        time = p->body.started.t_us;
        rows = p->body.started.n;
        break;
    case LOPE_RESUME:
    case LOPE_STOP:
        lope_read_view(&r, &p->body.view);
        rows = p->body.view.n;
        break;
    case LOPE_RANGE:
        lope_read_span(&r, &p->body.range);
        stream = p->body.range.stream;
        break;
    case LOPE_ACK:
        lope_read_acked(&r, &p->body.ack);
        stream = p->body.ack.stream;
        break;
    case LOPE_CALIB_READ:
        lope_read_piece(&r, &p->body.piece);
        break;
    case LOPE_GET_STATUS:
        lope_read_status(&r, &p->body.stream);
        stream = p->body.stream.stream;
        time = p->body.stream.t_us;
        break;
    default:
        break;
    }
    if (r.past_end) {
        return LOPE_LENGTH;
    }
    if (time == LOPE_NO_TIME) {
        return LOPE_TIME;
    }
    if (stream > 7) {
        return LOPE_PARAM;
    }
    int rule = lope_read_rows(&r, p, rows);
    if (rule != LOPE_OK) {
        return rule;
    }
    p->tail = r.at;
    p->tail_length = r.left;
    if (p->op == LOPE_GET_CAPS) {
        return lope_caps_check(p);
    }
    if (p->op == LOPE_CALIB_READ && p->body.piece.offset + p->tail_length > p->body.piece.total) {
        return LOPE_LENGTH;
    }
    return LOPE_OK;
}

static inline int lope_reply_encode(const lope_reply *p, uint8_t *out, size_t capacity) {
    lope_writer w = {out, capacity, 0};
    uint8_t rows = 0;
    LOPE_PUT_u8(&w, p->op | 0x80u);
    LOPE_PUT_u8(&w, p->txn);
    LOPE_PUT_u8(&w, p->status);
    if (!lope_reply_has_body(p)) {
        return lope_written(&w);
    }
    switch (p->op) {
    case LOPE_HELLO:
        lope_write_hello_reply(&w, &p->body.hello);
        break;
    case LOPE_GET_CAPS:
        lope_write_pages(&w, &p->body.caps);
        lope_put_bytes(&w, p->tail, p->tail_length);
        break;
    case LOPE_GET_CONFIG:
    case LOPE_SET_CONFIG:
        lope_write_config(&w, &p->body.config);
        break;
    case LOPE_START:
        lope_write_started(&w, &p->body.started);
        rows = p->body.started.n;
        break;
    case LOPE_RESUME:
    case LOPE_STOP:
        lope_write_view(&w, &p->body.view);
        rows = p->body.view.n;
        break;
    case LOPE_RANGE:
        lope_write_span(&w, &p->body.range);
        break;
    case LOPE_ACK:
        lope_write_acked(&w, &p->body.ack);
        break;
    case LOPE_CALIB_READ:
        lope_write_piece(&w, &p->body.piece);
        lope_put_bytes(&w, p->tail, p->tail_length);
        break;
    case LOPE_GET_STATUS:
        lope_write_status(&w, &p->body.stream);
        break;
    default:
        break;
    }
    if (rows > LOPE_MOST_STREAMS) {
        return -LOPE_COUNT;
    }
    for (uint8_t i = 0; i < rows; i++) {
        if (p->op == LOPE_START) {
            LOPE_PUT_u8(&w, p->rows[i].stream);
            LOPE_PUT_u8(&w, p->rows[i].cfg_id);
        } else {
            lope_write_row(&w, &p->rows[i]);
        }
    }
    return lope_written(&w);
}

/* ------------------------------------------------------------------------------------------------------------ events */

enum {
    LOPE_CONFIG_CHANGED = 0x41,
    LOPE_SESSION_ENDED,
    LOPE_RANGE_DONE,
    LOPE_BATTERY_LOW,
    LOPE_FAULT
};

#define LOPE_ENDED_FIELDS(X) X(u8, reason) X(u64, session_id) X(u48, t_us)
#define LOPE_DONE_FIELDS(X) X(u8, txn) X(u8, status) X(u8, stream) X(u32, first) X(u16, count) X(u16, gaps)
#define LOPE_BATTERY_FIELDS(X) X(u8, percent) X(u16, minutes_left)
#define LOPE_FAULT_FIELDS(X) X(u8, code) X(u16, detail)
LOPE_MESSAGE(ended, LOPE_ENDED_FIELDS)
LOPE_MESSAGE(done, LOPE_DONE_FIELDS)
LOPE_MESSAGE(battery, LOPE_BATTERY_FIELDS)
LOPE_MESSAGE(fault, LOPE_FAULT_FIELDS)

#define LOPE_EVENTS(X)                                                                  \
    X(LOPE_CONFIG_CHANGED, config_changed, config) X(LOPE_SESSION_ENDED, session_ended, ended) \
    X(LOPE_RANGE_DONE, range_done, done) X(LOPE_BATTERY_LOW, battery_low, battery) X(LOPE_FAULT, fault, fault)

typedef struct {
    uint8_t op;
    uint8_t seq;
    union {
        LOPE_EVENTS(LOPE_MEMBER)
    } body;
} lope_event;

static inline int lope_event_decode(const uint8_t *bytes, size_t length, lope_event *e) {
    memset(e, 0, sizeof *e);
    if (length < 2) {
        return LOPE_TRUNCATED;
    }
    e->op = bytes[0];
    e->seq = bytes[1];
    lope_reader r = {bytes + 2, length - 2, 0};
    int bad = 0;
    switch (e->op) {
#define LOPE_CASE(number, name, type)             \
    case number:                                  \
        lope_read_##type(&r, &e->body.name);      \
        break;
        LOPE_EVENTS(LOPE_CASE)
#undef LOPE_CASE
    default:
        return LOPE_UNKNOWN_EVENT;
    }
    if (r.past_end) {
        return LOPE_LENGTH;
    }
    if (e->op == LOPE_CONFIG_CHANGED) {
        e->body.config_changed.flags &= 1;
    }
    bad |= e->op == LOPE_CONFIG_CHANGED && e->body.config_changed.stream > 7;
    bad |= e->op == LOPE_SESSION_ENDED && e->body.session_ended.session_id == 0;
    bad |= e->op == LOPE_RANGE_DONE && (e->body.range_done.txn == 0 || e->body.range_done.stream > 7);
    if (bad) {
        return LOPE_PARAM;
    }
    return e->op == LOPE_SESSION_ENDED && e->body.session_ended.t_us == LOPE_NO_TIME ? LOPE_TIME : LOPE_OK;
}

static inline int lope_event_encode(const lope_event *e, uint8_t *out, size_t capacity) {
    lope_writer w = {out, capacity, 0};
    LOPE_PUT_u8(&w, e->op);
    LOPE_PUT_u8(&w, e->seq);
    switch (e->op) {
#define LOPE_CASE(number, name, type)             \
    case number:                                  \
        lope_write_##type(&w, &e->body.name);     \
        break;
        LOPE_EVENTS(LOPE_CASE)
#undef LOPE_CASE
    default:
        return -LOPE_UNKNOWN_EVENT;
    }
    return lope_written(&w);
}

/* -------------------------------------------------------------------------------------------------------------- time */

enum { LOPE_PING, LOPE_PONG };

typedef struct {
    uint8_t kind;  /* LOPE_PING or LOPE_PONG */
    uint8_t flags; /* of a PONG: bit 0, stamps taken at the radio event */
    uint16_t seq;
    uint64_t t2_us; /* of a PONG */
    uint64_t t3_us;
} lope_time;

static inline int lope_time_decode(const uint8_t *bytes, size_t length, lope_time *t) {
    memset(t, 0, sizeof *t);
    if (length < 4) {
        return LOPE_TRUNCATED;
    }
    if (bytes[0] >> 4 != LOPE_MAJOR) {
        return LOPE_MAJOR_DIFFERS;
    }
    lope_reader reader = {bytes + 1, length - 1, 0}, *r = &reader;
    t->kind = bytes[0] & 15;
    t->flags = LOPE_GET_u8(r);
    t->seq = LOPE_GET_u16(r);
    if (t->kind > LOPE_PONG) {
        return LOPE_UNKNOWN_KIND;
    }
    if (length != (t->kind == LOPE_PING ? 4u : 18u)) {
        return LOPE_LENGTH;
    }
    if (t->kind == LOPE_PING) {
        return t->flags == 0 ? LOPE_OK : LOPE_PARAM;
    }
    t->flags &= 1;
    t->t2_us = LOPE_GET_u48(r);
    t->t3_us = LOPE_GET_u48(r);
    if (LOPE_GET_u16(r) != lope_crc16(0xFFFF, bytes, 16)) {
        return LOPE_CRC;
    }
    return t->t2_us <= t->t3_us && t->t3_us < LOPE_NO_TIME ? LOPE_OK : LOPE_TIME;
}

static inline int lope_time_encode(const lope_time *t, uint8_t *out, size_t capacity) {
    lope_writer w = {out, capacity, 0};
    if (t->kind > LOPE_PONG) {
        return -LOPE_UNKNOWN_KIND;
    }
    if (t->kind == LOPE_PONG && (t->t3_us < t->t2_us || t->t3_us >= LOPE_NO_TIME)) {
        return -LOPE_TIME;
    }
    LOPE_PUT_u8(&w, LOPE_MAJOR << 4 | t->kind);
    LOPE_PUT_u8(&w, t->kind == LOPE_PONG ? t->flags : 0u);
    LOPE_PUT_u16(&w, t->seq);
    if (t->kind == LOPE_PONG) {
        LOPE_PUT_u48(&w, t->t2_us);
        LOPE_PUT_u48(&w, t->t3_us);
        if (w.length <= capacity) {
            LOPE_PUT_u16(&w, lope_crc16(0xFFFF, out, w.length));
        } else {
            return -LOPE_BUFFER;
        }
    }
    return lope_written(&w);
}

#endif /* LOPE_PROTOCOL_H */
