/*
 * Checks lope_protocol.h against the vectors of the protocol.
 *
 * Usage: test_vectors FILE. Each line of FILE is one vector in plain text, made from tests/vectors/protocol-v1.json:
 *
 *   valid     <area> <id> <hex> <fields>     decode gives the fields, encode gives the hex
 *   tolerated <area> <id> <hex> <fields>     decode gives the fields
 *   refused   <area> <id> <hex> <rule>       decode gives the rule
 *   crc16     <hex> <value>                  also crc32
 *   entries   <kind> <mtu> <number>          entries per frame
 *
 * <fields> are key=value pairs, sorted, without spaces inside; <hex> is "-" when there are no bytes. Decoded into a
 * buffer of exactly the right size, so that a memory checker sees a read past the end. Prints what failed; exit status 0
 * if nothing did.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lope_protocol.h"

#define MOST_ITEMS 64

static char items[MOST_ITEMS][1200];
static int n_items;

static int by_text(const void *a, const void *b) { return strcmp((const char *)a, (const char *)b); }

#define ADD(...) ((void)snprintf(items[n_items++], sizeof items[0], __VA_ARGS__))

static void joined(char *out, size_t capacity) {
    size_t at = 0;
    qsort(items, (size_t)n_items, sizeof items[0], by_text);
    out[0] = 0;
    for (int i = 0; i < n_items; i++) {
        at += (size_t)snprintf(out + at, capacity - at, "%s%s", i ? "," : "", items[i]);
    }
}

/* A field as the vectors write it: 64 bits in hexadecimal, all else in decimal. */
#define SHOW_u8(name, v) ADD(name "=%u", (unsigned)(v))
#define SHOW_u16(name, v) ADD(name "=%u", (unsigned)(v))
#define SHOW_u32(name, v) ADD(name "=%lu", (unsigned long)(v))
#define SHOW_u48(name, v) ADD(name "=%llu", (unsigned long long)(v))
#define SHOW_u64(name, v) ADD(name "=0x%016llx", (unsigned long long)(v))
#define SHOW_i16(name, v) ADD(name "=%d", (int)(v))
#define SHOW(type, name) SHOW_##type(#name, message->name);

static const char *const op_names[] = {"?",     "hello", "get_caps", "get_config", "set_config", "start",      "resume",
                                       "stop",  "range", "ack",      "identify",   "calib_read", "get_status", "erase"};
static const char *const kind_names[] = {"imu6", "imu9", "high_g", "marks", "gap"};
static const char *const status_names[] = {"ok",    "op",   "length",  "param",     "state", "session",
                                           "exists", "unread", "owned",   "busy",      "mtu",   "auth",
                                           "version", "not_found", "power", "hardware", "hello_first", "cccd",
                                           "not_attached"};

static void hex_of(char *out, const uint8_t *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        sprintf(out + 2 * i, "%02x", bytes[i]);
    }
    out[2 * length] = 0;
}

static void show_frame(const lope_frame *f) {
    ADD("kind=%s", kind_names[f->kind]);
    ADD("stream=%u", f->stream);
    ADD("backfill=%d", !!(f->flags & LOPE_BACKFILL));
    ADD("acc_clipped=%d", !!(f->flags & LOPE_ACC_CLIPPED));
    ADD("gyr_clipped=%d", !!(f->flags & LOPE_GYR_CLIPPED));
    ADD("after_gap=%d", !!(f->flags & LOPE_AFTER_GAP));
    ADD("time_estimated=%d", !!(f->flags & LOPE_TIME_ESTIMATED));
    ADD("index=%lu", (unsigned long)f->index);
    ADD("t_us=%llu", (unsigned long long)f->t_us);
    ADD("cfg_id=%u", f->cfg_id);
    if (f->kind == LOPE_GAP) {
        ADD("count=%lu", (unsigned long)f->gap_count);
        ADD("reason=%u", f->gap_reason);
        return;
    }
    char rows[1100] = "";
    size_t at = 0;
    for (unsigned i = 0; i < f->n; i++) {
        at += (size_t)snprintf(rows + at, sizeof rows - at, "%s[", i ? "|" : "");
        if (f->kind == LOPE_MARKS) {
            const uint8_t *mark = f->entries + 8 * i;
            lope_reader r = {mark + 2, 6, 0};
            at += (size_t)snprintf(rows + at, sizeof rows - at, "%u|%u|%llu]", mark[0], mark[1],
                                   (unsigned long long)LOPE_GET_u48(&r));
            continue;
        }
        for (unsigned axis = 0; axis < lope_entry_bytes(f->kind) / 2u; axis++) {
            at += (size_t)snprintf(rows + at, sizeof rows - at, "%s%d", axis ? "|" : "", lope_axis(f, i, axis));
        }
        at += (size_t)snprintf(rows + at, sizeof rows - at, "]");
    }
    ADD("entries=[%s]", rows);
}

/* Shows a body of a union: `case`, member, type without its prefix, fields. */
#define BODY(number, of, type, FIELDS)         \
    case number: {                             \
        const lope_##type *message = &of;      \
        FIELDS(SHOW)                           \
        break;                                 \
    }

static void show_request(const lope_request *q) {
    ADD("op=%s", op_names[q->op]);
    ADD("txn=%u", q->txn);
    switch (q->op) {
        BODY(LOPE_HELLO, q->body.hello, hello_request, LOPE_HELLO_REQUEST_FIELDS)
        BODY(LOPE_GET_CAPS, q->body.get_caps, page, LOPE_PAGE_FIELDS)
        BODY(LOPE_GET_CONFIG, q->body.get_config, config_name, LOPE_CONFIG_NAME_FIELDS)
        BODY(LOPE_SET_CONFIG, q->body.set_config, wish, LOPE_WISH_FIELDS)
        BODY(LOPE_START, q->body.start, start_request, LOPE_START_REQUEST_FIELDS)
        BODY(LOPE_RESUME, q->body.resume, session_name, LOPE_SESSION_NAME_FIELDS)
        BODY(LOPE_STOP, q->body.stop, session_name, LOPE_SESSION_NAME_FIELDS)
        BODY(LOPE_RANGE, q->body.range, span, LOPE_SPAN_FIELDS)
        BODY(LOPE_ACK, q->body.ack, upto, LOPE_UPTO_FIELDS)
        BODY(LOPE_IDENTIFY, q->body.identify, blink, LOPE_BLINK_FIELDS)
        BODY(LOPE_CALIB_READ, q->body.calib_read, offset, LOPE_OFFSET_FIELDS)
        BODY(LOPE_GET_STATUS, q->body.get_status, stream_name, LOPE_STREAM_NAME_FIELDS)
        BODY(LOPE_ERASE, q->body.erase, session_name, LOPE_SESSION_NAME_FIELDS)
    default:
        break;
    }
}

static void show_tlv(char *out, size_t capacity, const lope_tlv *tlv) {
    static const char *const texts[] = {"?", "vendor", "product", "firmware", "hardware"};
    lope_reader reader = {tlv->value, tlv->length, 0}, *r = &reader;
    char value[600];
    if (tlv->type >= LOPE_TLV_VENDOR && tlv->type <= LOPE_TLV_HARDWARE) {
        snprintf(out, capacity, "{text=%.*s;tlv=%s}", tlv->length, (const char *)tlv->value, texts[tlv->type]);
    } else if (tlv->type == LOPE_TLV_STREAM) {
        unsigned stream = LOPE_GET_u8(r), kind = LOPE_GET_u8(r);
        char lists[3][150] = {"", "", ""};
        for (unsigned list = 0; list < 3; list++) {
            size_t at = 0;
            unsigned n = LOPE_GET_u8(r);
            for (unsigned i = 0; i < n && at < sizeof lists[0]; i++) {
                unsigned long number = (unsigned long)lope_get(r, list == 0 ? 4 : 2);
                at += (size_t)snprintf(lists[list] + at, sizeof lists[0] - at, "%s%lu", i ? "|" : "", number);
            }
        }
        snprintf(out, capacity, "{acc_ranges_g=[%s];gyr_ranges_dps=[%s];kind=%u;rates_mhz=[%s];stream=%u;tlv=stream}",
                 lists[1], lists[2], kind, lists[0], stream);
    } else if (tlv->type == LOPE_TLV_RING) {
        lope_ring ring;
        lope_read_ring(r, &ring);
        snprintf(out, capacity, "{capacity=%lu;storage=%u;stream=%u;tlv=ring}", (unsigned long)ring.capacity,
                 ring.storage, ring.stream);
    } else if (tlv->type == LOPE_TLV_LIMITS) {
        lope_limits limits;
        lope_read_limits(r, &limits);
        snprintf(out, capacity, "{max_configs=%u;max_linger_s=%u;max_range=%u;tlv=limits}", limits.max_configs,
                 limits.max_linger_s, limits.max_range);
    } else if (tlv->type == LOPE_TLV_CLOCK) {
        lope_clock clock;
        lope_read_clock(r, &clock);
        snprintf(out, capacity, "{accuracy_ppm=%u;ping_stamp=%u;tick_ns=%lu;tlv=clock}", clock.accuracy_ppm,
                 clock.ping_stamp, (unsigned long)clock.tick_ns);
    } else if (tlv->type == LOPE_TLV_FEATURES) {
        lope_features features;
        lope_read_features(r, &features);
        snprintf(out, capacity, "{bits=%lu;tlv=features}", (unsigned long)features.bits);
    } else {
        hex_of(value, tlv->value, tlv->length);
        snprintf(out, capacity, "{tlv=unknown;type=%u;value=%s}", tlv->type, value);
    }
}

static void show_rows(const lope_reply *p, unsigned n) {
    char rows[700] = "";
    size_t at = 0;
    for (unsigned i = 0; i < n; i++) {
        const lope_row *row = &p->rows[i];
        const char *separator = i ? "|" : "";
        if (p->op == LOPE_START) {
            at += (size_t)snprintf(rows + at, sizeof rows - at, "%s{cfg_id=%u;stream=%u}", separator, row->cfg_id,
                                   row->stream);
        } else {
            at += (size_t)snprintf(rows + at, sizeof rows - at, "%s{cfg_id=%u;next=%lu;oldest=%lu;stream=%u}", separator,
                                   row->cfg_id, (unsigned long)row->next, (unsigned long)row->oldest, row->stream);
        }
    }
    ADD("streams=[%s]", rows);
}

static void show_reply(const lope_reply *p) {
    char tail[1000] = "";
    ADD("op=%s", op_names[p->op]);
    ADD("txn=%u", p->txn);
    if (p->status <= LOPE_STATUS_NOT_ATTACHED) {
        ADD("status=%s", status_names[p->status]);
    } else {
        ADD("status=unknown_%u", p->status);
    }
    if (!lope_reply_has_body(p)) {
        return;
    }
    switch (p->op) {
        BODY(LOPE_HELLO, p->body.hello, hello_reply, LOPE_HELLO_REPLY_FIELDS)
        BODY(LOPE_GET_CONFIG, p->body.config, config, LOPE_CONFIG_FIELDS)
        BODY(LOPE_SET_CONFIG, p->body.config, config, LOPE_CONFIG_FIELDS)
        BODY(LOPE_RANGE, p->body.range, span, LOPE_SPAN_FIELDS)
        BODY(LOPE_ACK, p->body.ack, acked, LOPE_ACKED_FIELDS)
        BODY(LOPE_GET_STATUS, p->body.stream, status, LOPE_STATUS_FIELDS)
    case LOPE_GET_CAPS: {
        lope_tlv_walk walk = {p->tail, p->tail_length, {0}};
        lope_tlv tlv;
        size_t at = 0;
        ADD("page=%u", p->body.caps.page);
        ADD("n_pages=%u", p->body.caps.n_pages);
        while (lope_tlv_next(&walk, &tlv) == LOPE_OK && tlv.value != NULL) {
            if (at > 0) {
                tail[at++] = '|';
            }
            show_tlv(tail + at, sizeof tail - at, &tlv);
            at = strlen(tail);
        }
        ADD("tlvs=[%s]", tail);
        break;
    }
    case LOPE_START:
        ADD("t_us=%llu", (unsigned long long)p->body.started.t_us);
        show_rows(p, p->body.started.n);
        break;
    case LOPE_RESUME:
    case LOPE_STOP:
        ADD("state=%u", p->body.view.state);
        ADD("reason=%u", p->body.view.reason);
        ADD("session_boot_id=%lu", (unsigned long)p->body.view.session_boot_id);
        show_rows(p, p->body.view.n);
        break;
    case LOPE_CALIB_READ: {
        const lope_piece *message = &p->body.piece;
        LOPE_PIECE_FIELDS(SHOW)
        hex_of(tail, p->tail, p->tail_length);
        ADD("bytes=%s", tail);
        break;
    }
    default:
        break;
    }
}

static void show_event(const lope_event *e) {
    static const char *const names[] = {"config_changed", "session_ended", "range_done", "battery_low", "fault"};
    ADD("event=%s", names[e->op - LOPE_CONFIG_CHANGED]);
    ADD("seq=%u", e->seq);
    switch (e->op) {
        BODY(LOPE_CONFIG_CHANGED, e->body.config_changed, config, LOPE_CONFIG_FIELDS)
        BODY(LOPE_SESSION_ENDED, e->body.session_ended, ended, LOPE_ENDED_FIELDS)
        BODY(LOPE_RANGE_DONE, e->body.range_done, done, LOPE_DONE_FIELDS)
        BODY(LOPE_BATTERY_LOW, e->body.battery_low, battery, LOPE_BATTERY_FIELDS)
        BODY(LOPE_FAULT, e->body.fault, fault, LOPE_FAULT_FIELDS)
    default:
        break;
    }
}

static void show_time(const lope_time *t) {
    ADD("time=%s", t->kind == LOPE_PING ? "ping" : "pong");
    ADD("seq=%u", t->seq);
    if (t->kind == LOPE_PONG) {
        ADD("flags=%u", t->flags);
        ADD("t2_us=%llu", (unsigned long long)t->t2_us);
        ADD("t3_us=%llu", (unsigned long long)t->t3_us);
    }
}

/* Decodes, shows in `items` if accepted, and writes the encoding of what was decoded. Returns the rule. */
static int try_message(const char *area, const uint8_t *bytes, size_t length, uint8_t *again, int *written) {
    union {
        lope_frame frame;
        lope_request request;
        lope_reply reply;
        lope_event event;
        lope_time time;
    } m;
    int rule = LOPE_BUFFER;
    n_items = 0;
#define AREA(name)                                                   \
    if (strcmp(area, #name) == 0) {                                  \
        rule = lope_##name##_decode(bytes, length, &m.name);         \
        if (rule == LOPE_OK) {                                       \
            show_##name(&m.name);                                    \
            *written = lope_##name##_encode(&m.name, again, 600);    \
        }                                                            \
    }
    AREA(frame) AREA(request) AREA(reply) AREA(event) AREA(time)
#undef AREA
    return rule;
}

static uint8_t *bytes_of(const char *hex, size_t *length) {
    *length = strcmp(hex, "-") == 0 ? 0 : strlen(hex) / 2;
    uint8_t *bytes = malloc(*length + (*length == 0));
    for (size_t i = 0; bytes != NULL && i < *length; i++) {
        unsigned byte = 0;
        sscanf(hex + 2 * i, "%2x", &byte);
        bytes[i] = (uint8_t)byte;
    }
    return bytes;
}

static int failed;

static void expect(const char *id, const char *what, const char *got, const char *expected) {
    if (strcmp(got, expected) != 0) {
        printf("%s: %s\n  expected %s\n  got      %s\n", id, what, expected, got);
        failed++;
    }
}

int main(int argc, char **argv) {
    static char line[8000], list[16], area[4000], id[4000], hex[4000], value[4000], got[4000];
    unsigned vectors = 0;
    FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
    if (file == NULL) {
        printf("usage: test_vectors FILE\n");
        return 2;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        size_t length;
        int fields = sscanf(line, "%15s %3999s %3999s %3999s %3999s", list, area, id, hex, value);
        vectors++;
        if (fields == 3) { /* a checksum: list, hex, value */
            uint8_t *bytes = bytes_of(area, &length);
            unsigned long crc = strcmp(list, "crc16") == 0 ? lope_crc16(0xFFFF, bytes, length) : lope_crc32(bytes, length);
            snprintf(got, sizeof got, "%lu", crc);
            expect(list, "checksum", got, id);
            free(bytes);
        } else if (fields == 4) { /* entries, kind, mtu, number */
            unsigned kind = 0;
            while (kind < LOPE_MARKS && strcmp(kind_names[kind], area) != 0) {
                kind++;
            }
            unsigned n = lope_entries_per_frame((uint8_t)kind, (uint16_t)atoi(id));
            snprintf(got, sizeof got, "%u", n);
            expect(area, "entries per frame", got, hex);
        } else if (fields == 5) {
            uint8_t again[600];
            int written = 0;
            uint8_t *bytes = bytes_of(hex, &length);
            int rule = try_message(area, bytes, length, again, &written);
            if (strcmp(list, "refused") == 0) {
                expect(id, "rule", lope_rule_name(rule), value);
            } else {
                expect(id, "rule", lope_rule_name(rule), "ok");
                joined(got, sizeof got);
                expect(id, "fields", got, value);
            }
            if (strcmp(list, "valid") == 0) {
                hex_of(got, again, written > 0 ? (size_t)written : 0);
                expect(id, "bytes", got, hex);
            }
            free(bytes);
        } else {
            printf("unreadable line: %s", line);
            failed++;
        }
    }
    fclose(file);
    printf("%u vectors, %d failed\n", vectors, failed);
    return failed == 0 && vectors > 0 ? 0 : 1;
}
