/*
 * limit: the least work a broker can do on this machine, as the physical limit to hold brokers against.
 *
 * One epoll loop, one thread, no features: exact topics and one filter ending in a wildcard per
 * client, QoS 0, 1 and 2 echoed, nothing stored, nothing checked, one send() per client and loop turn.
 * Not a broker: it trusts every byte.
 *
 *   gcc -O2 -o limit limit.c && ./limit PORT
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
typedef struct conn { int fd, ver, qos, dirty, gone; uint8_t *in; size_t in_len, in_cap; uint8_t *out; size_t out_len, out_off, out_cap; uint32_t armed; uint16_t id; struct conn *next; } conn;
typedef struct sub { char f[160]; conn *c; int qos; struct sub *next; } sub;
static sub *exact[65536]; static sub *wild; static conn **dirty; static int ndirty, cap; static int ep;
static unsigned hash(const uint8_t *p, int n) { unsigned h = 2166136261u; while (n--) h = (h ^ *p++) * 16777619u; return h & 65535; }
static uint8_t *room(conn *c, size_t n) {
  if (c->out_off == c->out_len) c->out_off = c->out_len = 0;
  if (c->out_len + n > c->out_cap) { c->out_cap = (c->out_len + n) * 2; c->out = realloc(c->out, c->out_cap); }
  if (!c->dirty) { c->dirty = 1; if (ndirty == cap) dirty = realloc(dirty, (cap = cap * 2 + 64) * sizeof *dirty); dirty[ndirty++] = c; }
  uint8_t *p = c->out + c->out_len; c->out_len += n; return p;
}
static void arm(conn *c, uint32_t e) { if (c->armed == e) return; struct epoll_event v = {.events = e, .data.ptr = c}; epoll_ctl(ep, c->armed ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->fd, &v); c->armed = e; }
static void flush(conn *c) {
  c->dirty = 0; if (c->gone) return;
  while (c->out_off < c->out_len) { ssize_t n = send(c->fd, c->out + c->out_off, c->out_len - c->out_off, MSG_NOSIGNAL); if (n < 0) break; c->out_off += n; }
  arm(c, EPOLLIN | (c->out_off < c->out_len ? EPOLLOUT : 0));
}
static void ack(conn *c, int h, const uint8_t *id) { uint8_t *p = room(c, 4); p[0] = h; p[1] = 2; p[2] = id[0]; p[3] = id[1]; }
static void deliver(sub *s, int q, const uint8_t *topic, int tl, const uint8_t *pay, int pl) {
  conn *c = s->c; if (c->gone) return; if (s->qos < q) q = s->qos; uint32_t len = 2 + tl + (q ? 2 : 0) + (c->ver == 5) + pl, x = len; int h = 2; while (x > 127) { h++; x >>= 7; }
  uint8_t *p = room(c, h + len); *p++ = 0x30 | q << 1; x = len; do { *p++ = (x & 127) | (x > 127 ? 128 : 0); x >>= 7; } while (x);
  memcpy(p, topic - 2, tl + 2); p += tl + 2; if (q) { if (!++c->id) c->id = 1; *p++ = c->id >> 8; *p++ = c->id; } if (c->ver == 5) *p++ = 0; memcpy(p, pay, pl);
}
static void packet(conn *c, int h, uint8_t *p, uint32_t len) {
  switch (h >> 4) {
    case 1: { c->ver = p[6]; int n = c->ver == 5 ? 3 : 2; uint8_t *o = room(c, n + 2); o[0] = 0x20; o[1] = n; memset(o + 2, 0, n); break; }
    case 3: { int q = (h >> 1) & 3, tl = p[0] << 8 | p[1]; uint8_t *t = p + 2, *r = t + tl, *id = r; if (q) r += 2; if (c->ver == 5) r += 1 + *r;
      int pl = p + len - r; for (sub *s = exact[hash(t, tl)]; s; s = s->next) if (!memcmp(s->f, t, tl) && !s->f[tl]) deliver(s, q, t, tl, r, pl);
      for (sub *s = wild; s; s = s->next) if (!memcmp(s->f, t, strlen(s->f))) deliver(s, q, t, tl, r, pl);
      if (q == 1) ack(c, 0x40, id); else if (q == 2) ack(c, 0x50, id); break; }
    case 5: ack(c, 0x62, p); break;
    case 6: ack(c, 0x70, p); break;
    case 8: { uint8_t *e = p + len, *id = p; p += 2; if (c->ver == 5) p += 1 + *p; int n = 0; while (p < e) { int l = p[0] << 8 | p[1]; sub *s = calloc(1, sizeof *s); memcpy(s->f, p + 2, l); s->qos = p[2 + l]; s->c = c; p += 3 + l; n++;
        char *w = strpbrk(s->f, "+#"); if (w) { *w = 0; s->next = wild; wild = s; } else { unsigned k = hash((uint8_t *)s->f, l); s->next = exact[k]; exact[k] = s; } }
      int v = c->ver == 5; uint8_t *o = room(c, 4 + v + n); o[0] = 0x90; o[1] = 2 + v + n; o[2] = id[0]; o[3] = id[1]; memset(o + 4, 0, v + n); break; }
    case 12: { uint8_t *o = room(c, 2); o[0] = 0xd0; o[1] = 0; break; }
  }
}
static void drop(conn *c) { c->gone = 1; close(c->fd); for (int i = 0; i < 65537; i++) { sub **q = i == 65536 ? &wild : &exact[i]; while (*q) if ((*q)->c == c) { sub *d = *q; *q = d->next; free(d); } else q = &(*q)->next; } }
int main(int argc, char **argv) {
  int l = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1; setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(0x7f000001)}; if (bind(l, (void *)&a, sizeof a) || listen(l, 65535)) { perror("bind"); return 1; }
  ep = epoll_create1(0); struct epoll_event v = {.events = EPOLLIN, .data.ptr = NULL}; epoll_ctl(ep, EPOLL_CTL_ADD, l, &v); static struct epoll_event ev[1024]; static uint8_t buf[262144];
  for (;;) {
    int n = epoll_wait(ep, ev, 1024, -1);
    for (int i = 0; i < n; i++) { conn *c = ev[i].data.ptr;
      if (!c) { int fd; while ((fd = accept4(l, NULL, NULL, SOCK_NONBLOCK)) >= 0) { setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); c = calloc(1, sizeof *c); c->fd = fd; arm(c, EPOLLIN); } continue; }
      if (c->gone) continue; if (ev[i].events & EPOLLOUT) flush(c); if (!(ev[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))) continue;
      ssize_t r = recv(c->fd, buf, sizeof buf, 0); if (r <= 0) { if (r < 0 && errno == EAGAIN) continue; drop(c); continue; }
      uint8_t *p = buf; size_t len = r; if (c->in_len) { if (c->in_len + r > c->in_cap) c->in = realloc(c->in, c->in_cap = (c->in_len + r) * 2); memcpy(c->in + c->in_len, buf, r); c->in_len += r; p = c->in; len = c->in_len; }
      size_t off = 0; while (len - off >= 2) { uint32_t x = 0, sh = 0; size_t o = off + 1; int ok = 0; while (o < len) { uint8_t b = p[o++]; x |= (b & 127u) << sh; sh += 7; if (!(b & 128)) { ok = 1; break; } } if (!ok || len - o < x) break; packet(c, p[off], p + o, x); off = o + x; }
      size_t rest = len - off; if (p == buf) { if (rest) { if (rest > c->in_cap) c->in = realloc(c->in, c->in_cap = rest + 65536); memcpy(c->in, p + off, rest); } } else memmove(c->in, c->in + off, rest); c->in_len = rest;
    }
    for (int i = 0; i < ndirty; i++) flush(dirty[i]); ndirty = 0;
  }
}
