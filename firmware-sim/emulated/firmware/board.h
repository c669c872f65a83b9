// What the device asks of the board it runs on. One implementation for each board.
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

void board_start(void);
uint32_t board_milliseconds(void);   // since reset
int board_link_read(void);           // next byte from the link, or -1
void board_link_write(uint8_t byte); // waits until the UART takes it
void board_print(const char *text);  // debug console
void board_sleep(void);              // until the next interrupt
uint16_t board_stack_free(void);     // lowest free stack seen so far, in bytes
uint16_t board_bytes_lost(void);     // came while the receive ring was full, or overran the UART
uint8_t board_device_number(void);   // 1 to 250, set from outside before the start

void device_run(void);               // never returns

#endif
