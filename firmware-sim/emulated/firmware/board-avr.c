// ATmega328P: 2 KB of RAM, 32 KB of flash, the chip of the Arduino Uno. USART0 is the link; what is
// printed goes to GPIOR0, which the runner on the host watches.
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include "board.h"

#ifndef BAUD
#define BAUD 9600
#endif
#define RING_BYTES 64 // a power of two, and the size of Arduino's serial buffer

static volatile uint8_t ring[RING_BYTES], read_at, write_at;
static volatile uint16_t lost;
static volatile uint32_t milliseconds;
extern uint8_t _end; // of .bss, from the linker

// Paints free RAM before main, so that the lowest level of the stack can be read back.
void paint_stack(void) __attribute__((naked, used, section(".init3")));
void paint_stack(void) {
  __asm volatile("ldi r30, lo8(_end)\n ldi r31, hi8(_end)\n ldi r24, 0xA5\n"
                 "ldi r26, lo8(0x08E0)\n ldi r27, hi8(0x08E0)\n"
                 "1: st Z+, r24\n cp r30, r26\n cpc r31, r27\n brlo 1b\n");
}

ISR(TIMER0_COMPA_vect) { milliseconds++; }

ISR(USART_RX_vect) {
  if (UCSR0A & 1 << DOR0) lost++;
  uint8_t byte = UDR0, next = (write_at + 1) & (RING_BYTES - 1);
  if (next == read_at) {
    lost++;
    return;
  }
  ring[write_at] = byte;
  write_at = next;
}

void board_start(void) {
  UCSR0A = 1 << U2X0; // before UBRR0: the simulator fixes the rate when UBRR0 is written
  UBRR0 = (F_CPU + 4ul * BAUD) / (8ul * BAUD) - 1;
  UCSR0C = 1 << UCSZ01 | 1 << UCSZ00;
  UCSR0B = 1 << RXEN0 | 1 << TXEN0 | 1 << RXCIE0;
  TCCR0A = 1 << WGM01;
  OCR0A = F_CPU / 64 / 1000 - 1;
  TIMSK0 = 1 << OCIE0A;
  TCCR0B = 1 << CS01 | 1 << CS00;
  set_sleep_mode(SLEEP_MODE_IDLE);
  sei();
}

uint32_t board_milliseconds(void) {
  uint8_t status = SREG;
  cli();
  uint32_t now = milliseconds;
  SREG = status;
  return now;
}

int board_link_read(void) {
  if (read_at == write_at) return -1;
  uint8_t byte = ring[read_at];
  read_at = (read_at + 1) & (RING_BYTES - 1);
  return byte;
}

void board_link_write(uint8_t byte) {
  while (!(UCSR0A & 1 << UDRE0)) {}
  UDR0 = byte;
}

void board_print(const char *text) {
  while (*text) GPIOR0 = (uint8_t)*text++;
}

void board_sleep(void) { sleep_mode(); }

uint16_t board_stack_free(void) {
  uint16_t count = 0;
  for (uint8_t *at = &_end; *at == 0xA5; at++) count++;
  return count;
}

uint16_t board_bytes_lost(void) { return lost; }

uint8_t board_device_number(void) { return GPIOR1 ? GPIOR1 : 1; } // written by the runner

int main(void) { device_run(); }
