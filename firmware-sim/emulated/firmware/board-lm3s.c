// Stellaris LM3S, a Cortex-M3: vectors, UART0 as the link, UART1 as the console. Runs on QEMU's
// machines lm3s6965evb (64 KB of RAM) and lm3s811evb (8 KB of RAM).
#include "board.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define UART0 0x4000C000u
#define UART1 0x4000D000u
// Offsets in a PL011.
#define DATA 0x00
#define FLAGS 0x18
#define LINE_CONTROL 0x2C
#define CONTROL 0x30
#define INTERRUPT_MASK 0x38
#define INTERRUPT_CLEAR 0x44
#define RECEIVE_EMPTY (1 << 4)
#define TRANSMIT_FULL (1 << 5)
#define RECEIVED_OR_TIMED_OUT (1 << 4 | 1 << 6)
#define RING_BYTES 128 // a power of two; small, so that overruns show

extern uint32_t _estack, _sdata, _edata, _sidata, _sbss, _ebss, _device_number;
static volatile uint8_t ring[RING_BYTES], read_at, write_at;
static volatile uint16_t lost;
static volatile uint32_t milliseconds;

void reset_handler(void) {
  for (uint32_t *from = &_sidata, *to = &_sdata; to < &_edata;) *to++ = *from++;
  for (uint32_t *to = &_sbss; to < &_ebss;) *to++ = 0;
  uint32_t stack;
  __asm volatile("mov %0, sp" : "=r"(stack));
  for (uint32_t *to = &_ebss; (uint32_t)to < stack - 32;) *to++ = 0xA5A5A5A5;
  device_run();
}

void default_handler(void) {
  for (;;) {}
}

void systick_handler(void) { milliseconds++; }

void uart0_handler(void) {
  while (!(REGISTER(UART0 + FLAGS) & RECEIVE_EMPTY)) {
    uint8_t byte = (uint8_t)REGISTER(UART0 + DATA);
    uint8_t next = (write_at + 1) & (RING_BYTES - 1);
    if (next == read_at) {
      lost++;
      continue;
    }
    ring[write_at] = byte;
    write_at = next;
  }
  REGISTER(UART0 + INTERRUPT_CLEAR) = RECEIVED_OR_TIMED_OUT;
}

__attribute__((section(".vectors"), used)) void (*const vectors[16 + 7])(void) = {
  (void (*)(void))&_estack, reset_handler,
  default_handler, default_handler, default_handler, default_handler, default_handler, 0, 0, 0, 0,
  default_handler, default_handler, 0, default_handler, systick_handler,
  default_handler, default_handler, default_handler, default_handler, default_handler,
  uart0_handler, default_handler, // interrupt 5 is UART0
};

void board_start(void) {
  REGISTER(UART0 + LINE_CONTROL) = REGISTER(UART1 + LINE_CONTROL) = 0x70; // 8N1, with FIFO
  REGISTER(UART0 + CONTROL) = REGISTER(UART1 + CONTROL) = 0x301;          // on, both ways
  REGISTER(UART0 + INTERRUPT_MASK) = RECEIVED_OR_TIMED_OUT;
  REGISTER(0xE000E100) = 1 << 5;      // NVIC: UART0
  REGISTER(0xE000E014) = 12500 - 1;   // SysTick: 1 kHz of 12.5 MHz
  REGISTER(0xE000E018) = 0;
  REGISTER(0xE000E010) = 7;
}

uint32_t board_milliseconds(void) { return milliseconds; }

int board_link_read(void) {
  if (read_at == write_at) return -1;
  uint8_t byte = ring[read_at];
  read_at = (read_at + 1) & (RING_BYTES - 1);
  return byte;
}

static void write_uart(uint32_t uart, uint8_t byte) {
  while (REGISTER(uart + FLAGS) & TRANSMIT_FULL) {}
  REGISTER(uart + DATA) = byte;
}

void board_link_write(uint8_t byte) { write_uart(UART0, byte); }

void board_print(const char *text) {
  while (*text) write_uart(UART1, (uint8_t)*text++);
}

void board_sleep(void) { __asm volatile("wfi"); }

uint16_t board_stack_free(void) {
  uint32_t *at = &_ebss;
  while (*at == 0xA5A5A5A5) at++;
  uint32_t bytes = (uint32_t)at - (uint32_t)&_ebss;
  return bytes > 65535 ? 65535 : (uint16_t)bytes;
}

uint16_t board_bytes_lost(void) { return lost; }

uint8_t board_device_number(void) {
  uint32_t number = REGISTER(&_device_number) & 255;
  return number ? (uint8_t)number : 1;
}
