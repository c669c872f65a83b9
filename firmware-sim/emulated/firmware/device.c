// A complete MQTT 3.1.1 device for a microcontroller: no heap, no C library, one packet buffer.
//
// It speaks over whatever byte pipe its board has; here that is a UART which the emulator joins to a
// TCP connection, as a transparent modem does. The device cannot see that TCP was lost: it notices a
// missing acknowledgement, backs off, and connects again to its persistent Session.
//
// It publishes on d/<n>/up at QoS 1, one in flight, and takes commands on d/<n>/cmd at QoS 1:
//   r<ms>   time between two messages        b<count>   that many QoS 0 messages, back to back
#include "board.h"

// Largest packet body that is kept; what is longer is read, counted and acknowledged, not obeyed.
#ifndef RECEIVE_BYTES_MAX
#define RECEIVE_BYTES_MAX 256
#endif
#ifndef KEEP_ALIVE_SECONDS
#define KEEP_ALIVE_SECONDS 30
#endif
#ifndef PERIOD_MS
#define PERIOD_MS 5000
#endif
#ifndef CONNACK_WAIT_MS
#define CONNACK_WAIT_MS 15000
#endif
#ifndef PUBACK_WAIT_MS
#define PUBACK_WAIT_MS 20000
#endif
#define PINGRESP_WAIT_MS 10000
// 0 imitates the libraries that never acknowledge an oversize QoS 1 message.
#ifndef ACKNOWLEDGE_OVERSIZE
#define ACKNOWLEDGE_OVERSIZE 1
#endif

enum { CONNECT = 0x10, CONNACK = 0x20, PUBLISH = 0x30, PUBACK = 0x40, SUBSCRIBE = 0x82,
       PINGREQ = 0xC0, PINGRESP = 0xD0 };
enum { FLAG_DUP = 0x08, CONNECT_WILL_QOS1 = 0x0C };

static enum { DOWN, AWAITING_CONNACK, UP } state;
static uint32_t connect_sent_ms, last_sent_ms, ping_sent_ms, next_message_ms, retry_at_ms;
static uint32_t period_ms;
static uint8_t failures;          // in a row; the back-off grows with it
static uint8_t ping_outstanding;
static uint32_t connects, acknowledged, burst_left;
static uint16_t packet_identifier, sequence;

// The one QoS 1 message on its way; kept until PUBACK so that it can be sent again.
static struct {
  uint8_t active;
  uint16_t identifier;
  uint32_t sent_ms;
} in_flight;
static char payload[64];
static uint8_t payload_bytes;

// ---- text without a C library ----------------------------------------------------------------

static uint8_t append(char *to, uint8_t at, const char *text) {
  while (*text) to[at++] = *text++;
  return at;
}

static uint8_t append_number(char *to, uint8_t at, uint32_t value) {
  char digits[10];
  uint8_t count = 0;
  do {
    digits[count++] = (char)('0' + value % 10);
    value /= 10;
  } while (value);
  while (count) to[at++] = digits[--count];
  return at;
}

static void print_number(const char *name, uint32_t value) {
  char line[40];
  uint8_t at = append_number(line, append(line, 0, name), value);
  line[at++] = '\n';
  line[at] = 0;
  board_print(line);
}

// ---- to the broker -----------------------------------------------------------------------------

static void write16(uint16_t value) {
  board_link_write(value >> 8);
  board_link_write(value & 255);
}

static void write_bytes(const char *bytes, uint16_t count) {
  while (count--) board_link_write((uint8_t)*bytes++);
}

static void write_string(const char *bytes, uint16_t count) {
  write16(count);
  write_bytes(bytes, count);
}

static void write_fixed_header(uint8_t first, uint16_t remaining_length) {
  board_link_write(first);
  do {
    uint8_t byte = remaining_length & 127;
    remaining_length >>= 7;
    board_link_write(remaining_length ? byte | 128 : byte);
  } while (remaining_length);
  last_sent_ms = board_milliseconds();
}

static uint8_t topic(char *to, const char *tail) {
  return append(to, append_number(to, append(to, 0, "d/"), board_device_number()), tail);
}

static uint16_t next_identifier(void) {
  if (!++packet_identifier) packet_identifier = 1;
  return packet_identifier;
}

// From here on a packet that was half received on the connection before must be forgotten.
static void parser_reset(void);

static void send_connect(void) {
  char client[12], will[16];
  uint8_t client_bytes = append_number(client, append(client, 0, "mcu-"), board_device_number());
  uint8_t will_bytes = topic(will, "/will");
  write_fixed_header(CONNECT, 10 + 2 + client_bytes + 2 + will_bytes + 2 + 4);
  write_string("MQTT", 4);
  board_link_write(4);
  board_link_write(CONNECT_WILL_QOS1); // no Clean Session: the Session waits for the device
  write16(KEEP_ALIVE_SECONDS);
  write_string(client, client_bytes);
  write_string(will, will_bytes);
  write_string("lost", 4);
  state = AWAITING_CONNACK;
  connect_sent_ms = board_milliseconds();
  ping_outstanding = 0;
  parser_reset();
  print_number("connect ", ++connects);
}

static void send_subscribe(void) {
  char filter[16];
  uint8_t filter_bytes = topic(filter, "/cmd");
  write_fixed_header(SUBSCRIBE, 2 + 2 + filter_bytes + 1);
  write16(next_identifier());
  write_string(filter, filter_bytes);
  board_link_write(1);
}

static void send_message(uint8_t qos, uint8_t dup) {
  char name[16];
  uint8_t name_bytes = topic(name, "/up");
  write_fixed_header(PUBLISH | dup | qos << 1, 2 + name_bytes + (qos ? 2 : 0) + payload_bytes);
  write_string(name, name_bytes);
  if (qos) {
    write16(in_flight.identifier);
    in_flight.active = 1;
    in_flight.sent_ms = board_milliseconds();
  }
  write_bytes(payload, payload_bytes);
}

static void compose_message(void) {
  uint8_t at = append_number(payload, append(payload, 0, "n="), sequence++);
  at = append_number(payload, append(payload, at, " ms="), board_milliseconds());
  at = append_number(payload, append(payload, at, " free="), board_stack_free());
  payload_bytes = append_number(payload, append(payload, at, " lost="), board_bytes_lost());
  in_flight.identifier = next_identifier();
}

// Whether `wait_ms` have passed. The difference is signed: sending blocks for many milliseconds, so
// that `since_ms` may be later than a clock the caller has read before.
static uint8_t passed(uint32_t since_ms, uint32_t wait_ms) {
  return (int32_t)(board_milliseconds() - since_ms) > (int32_t)wait_ms;
}

static void give_up(const char *why) {
  board_print(why);
  board_print("\n");
  state = DOWN;
  ping_outstanding = 0;
  uint32_t wait_ms = 1000ul << (failures > 5 ? 5 : failures); // 1 s to 32 s, and as much again
  uint32_t now_ms = board_milliseconds();
  retry_at_ms = now_ms + wait_ms + (now_ms * 31 + board_device_number() * 97) % wait_ms;
  failures++;
}

// ---- from the broker ---------------------------------------------------------------------------

static uint8_t body[RECEIVE_BYTES_MAX];
static struct {
  enum { TYPE, LENGTH, BODY } stage;
  uint8_t first, shift;
  uint32_t length, received;
} parser;

static void parser_reset(void) { parser.stage = TYPE; }

static uint32_t number_in(const uint8_t *text, uint16_t count) {
  uint32_t value = 0;
  for (; count--; text++)
    if (*text >= '0' && *text <= '9') value = value * 10 + (*text - '0');
  return value;
}

static void obey(const uint8_t *command, uint16_t count) {
  if (count > 1 && command[0] == 'r') period_ms = number_in(command, count);
  if (count > 1 && command[0] == 'b') burst_left = number_in(command, count);
  print_number("command bytes ", count);
}

static void connack(void) {
  if (body[1]) {
    print_number("refused ", body[1]);
    failures = 5;
    give_up("connack");
    return;
  }
  uint8_t session_present = body[0] & 1;
  state = UP;
  failures = 0;
  next_message_ms = board_milliseconds() + 200;
  print_number("session present ", session_present);
  print_number("connack ms ", board_milliseconds() - connect_sent_ms);
  if (!session_present) send_subscribe();
  if (in_flight.active) send_message(1, session_present ? FLAG_DUP : 0);
}

static void publish(void) {
  uint16_t kept = parser.received < RECEIVE_BYTES_MAX ? (uint16_t)parser.received : RECEIVE_BYTES_MAX;
  uint8_t fits = parser.length <= RECEIVE_BYTES_MAX;
  uint8_t qos = parser.first >> 1 & 3;
  uint16_t at = 2 + (uint16_t)(body[0] << 8 | body[1]);
  uint16_t identifier = 0;
  if (parser.first & FLAG_DUP) board_print("duplicate\n");
  if (qos && kept >= at + 2) {
    identifier = (uint16_t)(body[at] << 8 | body[at + 1]);
    at += 2;
  }
  if (fits && kept >= at) obey(body + at, (uint16_t)(parser.length - at));
  else print_number("oversize ", parser.length);
  if (identifier && (fits || ACKNOWLEDGE_OVERSIZE)) {
    write_fixed_header(PUBACK, 2);
    write16(identifier);
  }
}

static void puback(void) {
  if (!in_flight.active) return;
  if ((uint16_t)(body[0] << 8 | body[1]) != in_flight.identifier) return;
  in_flight.active = 0;
  print_number("acknowledged ", ++acknowledged);
}

static void packet(void) {
  switch (parser.first & 0xF0) {
  case CONNACK: if (parser.length == 2) connack(); break;
  case PUBACK: if (parser.length == 2) puback(); break;
  case PINGRESP: ping_outstanding = 0; break;
  case PUBLISH: if (parser.length >= 2) publish(); break;
  }
}

static void feed(uint8_t byte) {
  switch (parser.stage) {
  case TYPE:
    parser.first = byte;
    parser.length = parser.received = 0;
    parser.shift = 0;
    parser.stage = LENGTH;
    return;
  case LENGTH:
    parser.length |= (uint32_t)(byte & 127) << parser.shift;
    parser.shift += 7;
    if (byte & 128) {
      if (parser.shift > 21) { parser_reset(); give_up("malformed length"); }
      return;
    }
    parser.stage = BODY;
    break;
  case BODY:
    if (parser.received < RECEIVE_BYTES_MAX) body[parser.received] = byte;
    parser.received++;
  }
  if (parser.received == parser.length) {
    parser_reset();
    packet();
  }
}

// ---- main loop ---------------------------------------------------------------------------------

static void publish_when_due(void) {
  if (in_flight.active) return;
  if (burst_left) {
    compose_message();
    send_message(0, 0);
    burst_left--;
  } else if (passed(next_message_ms, 0)) {
    next_message_ms = board_milliseconds() + period_ms;
    compose_message();
    send_message(1, 0);
  }
}

static void watch_timers(void) {
  if (in_flight.active && passed(in_flight.sent_ms, PUBACK_WAIT_MS)) give_up("no puback");
  else if (ping_outstanding && passed(ping_sent_ms, PINGRESP_WAIT_MS)) give_up("no pingresp");
  else if (!ping_outstanding && passed(last_sent_ms, KEEP_ALIVE_SECONDS * 750ul)) {
    write_fixed_header(PINGREQ, 0);
    ping_outstanding = 1;
    ping_sent_ms = board_milliseconds();
  }
}

void device_run(void) {
  board_start();
  period_ms = PERIOD_MS;
  board_print("boot\n");
  retry_at_ms = board_milliseconds() + 500 + board_device_number(); // lets the link come up
  for (;;) {
    for (int byte; (byte = board_link_read()) >= 0;) feed((uint8_t)byte);
    switch (state) {
    case DOWN:
      if (passed(retry_at_ms, 0)) send_connect();
      break;
    case AWAITING_CONNACK:
      if (passed(connect_sent_ms, CONNACK_WAIT_MS)) give_up("no connack");
      break;
    case UP:
      publish_when_due();
      watch_timers();
    }
    board_sleep();
  }
}
