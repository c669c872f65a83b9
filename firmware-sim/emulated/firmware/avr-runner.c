// Runs an ATmega328P image under libsimavr with its UART on a TCP connection.
//
//   avr-runner IMAGE PORT DEVICE_NUMBER SECONDS BAUD WARP
//
// Both directions are paced in device time, so the rate of the UART is real. WARP lets device time run
// that many times faster than wall time. What the device prints goes to standard output; at the end one
// line of JSON goes to standard error.
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_elf.h>
#include <simavr/sim_io.h>

#define CLOCK_HZ 16000000
#define GPIOR0_ADDRESS 0x3E // what the device prints
#define GPIOR1_ADDRESS 0x4A // its number
#define BITS_PER_BYTE 10    // 8N1

static avr_t *avr;
static avr_irq_t *receive_line;
static int link_socket = -1, port;
static unsigned long bytes_up, bytes_down, dials;
static avr_cycle_count_t cycles_per_byte;
static volatile sig_atomic_t stopping;

static void stop(int signal_number) {
  (void)signal_number;
  stopping = 1;
}

static double wall_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

static void hang_up(void) {
  close(link_socket);
  link_socket = -1;
}

static void dial(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  dials++;
  link_socket = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(link_socket, (struct sockaddr *)&address, sizeof address)) {
    hang_up();
    return;
  }
  int on = 1;
  setsockopt(link_socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void on_device_byte(avr_irq_t *irq, uint32_t value, void *unused) {
  (void)irq, (void)unused;
  uint8_t byte = (uint8_t)value;
  bytes_up++;
  if (link_socket >= 0 && send(link_socket, &byte, 1, MSG_NOSIGNAL) < 0) hang_up();
}

static avr_cycle_count_t give_device_a_byte(avr_t *mcu, avr_cycle_count_t when, void *unused) {
  (void)mcu, (void)unused;
  uint8_t byte;
  if (link_socket >= 0) {
    ssize_t count = recv(link_socket, &byte, 1, MSG_DONTWAIT);
    if (count == 1) {
      bytes_down++;
      avr_raise_irq(receive_line, byte);
    } else if (count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) hang_up();
  }
  return when + cycles_per_byte;
}

// The modem dials again by itself; the device is not told.
static avr_cycle_count_t redial(avr_t *mcu, avr_cycle_count_t when, void *unused) {
  (void)unused;
  if (link_socket < 0) dial();
  return when + mcu->frequency;
}

static void print(struct avr_t *mcu, avr_io_addr_t address, uint8_t value, void *unused) {
  (void)unused;
  mcu->data[address] = value;
  putchar(value);
  if (value == '\n') fflush(stdout);
}

// Waiting is done in main, for many instructions at once.
static void do_not_sleep(avr_t *mcu, avr_cycle_count_t cycles) { (void)mcu, (void)cycles; }

static int load(const char *image) {
  elf_firmware_t firmware;
  memset(&firmware, 0, sizeof firmware);
  if (elf_read_firmware(image, &firmware)) return 0;
  avr = avr_make_mcu_by_name("atmega328p");
  if (!avr || avr_init(avr)) return 0;
  firmware.frequency = CLOCK_HZ;
  avr_load_firmware(avr, &firmware);
  avr->log = LOG_NONE;
  avr->sleep = do_not_sleep;
  return 1;
}

static void wire_up(int device_number) {
  uint32_t flags = 0;
  avr_ioctl(avr, AVR_IOCTL_UART_GET_FLAGS('0'), &flags);
  flags &= ~(uint32_t)(AVR_UART_FLAG_STDIO | AVR_UART_FLAG_POLL_SLEEP);
  avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
  receive_line = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
  avr_irq_t *transmit_line = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT);
  avr_irq_register_notify(transmit_line, on_device_byte, NULL);
  avr_register_io_write(avr, GPIOR0_ADDRESS, print, NULL);
  avr->data[GPIOR1_ADDRESS] = (uint8_t)device_number;
  avr_cycle_timer_register(avr, cycles_per_byte, give_device_a_byte, NULL);
  avr_cycle_timer_register(avr, avr->frequency, redial, NULL);
}

static int run(double seconds, double warp) {
  double began = wall_seconds();
  avr_cycle_count_t next_look = 0;
  int cpu = cpu_Running;
  while (!stopping && cpu != cpu_Done && cpu != cpu_Crashed) {
    cpu = avr_run(avr);
    if (avr->cycle < next_look) continue;
    next_look = avr->cycle + avr->frequency / 500;
    double device_seconds = (double)avr->cycle / avr->frequency;
    if (device_seconds > seconds) break;
    double ahead = device_seconds / warp - (wall_seconds() - began);
    if (ahead > 0.001) usleep((useconds_t)(ahead * 1e6));
  }
  fprintf(stderr,
          "{\"deviceSeconds\":%.1f,\"wallSeconds\":%.1f,\"bytesUp\":%lu,\"bytesDown\":%lu,\"dials\":%lu}\n",
          (double)avr->cycle / avr->frequency, wall_seconds() - began, bytes_up, bytes_down, dials);
  return cpu == cpu_Crashed;
}

int main(int count, char **arguments) {
  if (count != 7) {
    fprintf(stderr, "usage: avr-runner IMAGE PORT DEVICE_NUMBER SECONDS BAUD WARP\n");
    return 2;
  }
  signal(SIGTERM, stop);
  signal(SIGINT, stop);
  port = atoi(arguments[2]);
  cycles_per_byte = (avr_cycle_count_t)(CLOCK_HZ / atof(arguments[5]) * BITS_PER_BYTE);
  if (!load(arguments[1])) {
    fprintf(stderr, "cannot load %s\n", arguments[1]);
    return 1;
  }
  wire_up(atoi(arguments[3]));
  dial();
  return run(atof(arguments[4]), atof(arguments[6]));
}
