// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

/* The adapter `raw` with one mistake that an author of an adapter may make, named by the environment variable
 * URING_BROKEN. CMakeLists.txt beside this file demands that each of them turns red, in the right layer and
 * row. */
#include <linux/io_uring.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "uring_binding.h"

const struct uring_binding_v1* raw_uring_binding(void);

static int is_broken(const char* what) {
  const char* const named = getenv("URING_BROKEN");
  return named != NULL && strcmp(named, what) == 0;
}

/* --- encodings: the first byte is the opcode, the second the flags
 * ------------------------------------------------ */

static int prepare(void* sqe, uint32_t operation, const struct uring_binding_arguments* arguments,
                   const char** reason) {
  const int result = raw_uring_binding()->prepare(sqe, operation, arguments, reason);
  unsigned char* const bytes = sqe;
  if (operation == URING_BINDING_MKDIRAT && is_broken("opcode")) bytes[0] = 38;
  if (operation == URING_BINDING_RECV_SELECT && is_broken("flags")) bytes[1] = 0;
  if (operation == URING_BINDING_MKDIRAT && is_broken("crash")) *(volatile int*)8 = 0;
  if (operation == URING_BINDING_NOP && is_broken("stale")) bytes[63] = 1;
  if (operation == URING_BINDING_MKDIRAT && is_broken("reason")) return URING_BINDING_NOT_EXPRESSIBLE;
  return result;
}

/* Relies on an entry of zeros, and so keeps what another request left in it. */
static int prepare_in_zeros(void* sqe, uint32_t operation, const struct uring_binding_arguments* arguments,
                            const char** reason) {
  struct io_uring_sqe clean;
  const int result = raw_uring_binding()->prepare(&clean, operation, arguments, reason);
  const unsigned char* const from = (const unsigned char*)&clean;
  if (result != 0) return result;
  for (size_t i = 0; i < sizeof clean; ++i) {
    if (from[i] != 0 || i == 0) ((unsigned char*)sqe)[i] = from[i];
  }
  ((struct io_uring_sqe*)sqe)->user_data = arguments->user_data;
  return 0;
}

static int prepare_only_nop_clean(void* sqe, uint32_t operation,
                                  const struct uring_binding_arguments* arguments, const char** reason) {
  if (operation == URING_BINDING_NOP) return raw_uring_binding()->prepare(sqe, operation, arguments, reason);
  return prepare_in_zeros(sqe, operation, arguments, reason);
}

/* After a request without a CQE (IOSQE_CQE_SKIP_SUCCESS), nothing ever completes in this entry. */
static int prepare_with_old_flags(void* sqe, uint32_t operation,
                                  const struct uring_binding_arguments* arguments, const char** reason) {
  const uint8_t flags = ((const struct io_uring_sqe*)sqe)->flags;
  const int result = raw_uring_binding()->prepare(sqe, operation, arguments, reason);
  if (operation == URING_BINDING_NOP) ((struct io_uring_sqe*)sqe)->flags = flags;
  return result;
}

static int prepare_cut(void* sqe, uint32_t operation, const struct uring_binding_arguments* arguments,
                       const char** reason) {
  struct uring_binding_arguments cut = *arguments;
  if (operation == URING_BINDING_READ) cut.length = (uint32_t)cut.length;
  return raw_uring_binding()->prepare(sqe, operation, &cut, reason);
}

/* Changes its last entry when it is too late to see that there. */
static struct io_uring_sqe* last_entry;
static void* get_and_remember(struct uring_binding_ring* ring) {
  return last_entry = raw_uring_binding()->get_sqe(ring);
}
static int change_and_submit(struct uring_binding_ring* ring) {
  if (last_entry != NULL && last_entry->opcode != IORING_OP_NOP) last_entry->ioprio = 7;
  return raw_uring_binding()->submit(ring);
}

/* --- mechanics
 * ---------------------------------------------------------------------------------------------------- */

/* Copies without giving the entries back: the same CQE comes forever. */
static int copy_without_advance(struct uring_binding_ring* ring, struct uring_binding_cqe* cqes,
                                uint32_t room, uint32_t wait_nr) {
  static struct uring_binding_cqe first;
  static int have_first;
  const int count = have_first ? 1 : raw_uring_binding()->copy_cqes(ring, cqes, room, wait_nr);
  if (count > 0 && !have_first) first = cqes[0];
  if (count > 0) have_first = 1;
  if (have_first && room > 0) cqes[0] = first;
  return count;
}

/* Polls instead of sleeping. */
static int copy_without_sleep(struct uring_binding_ring* ring, struct uring_binding_cqe* cqes, uint32_t room,
                              uint32_t wait_nr) {
  while (wait_nr > 0 && raw_uring_binding()->cq_ready(ring) == 0) raw_uring_binding()->enter(ring, 0, 0, 1);
  return raw_uring_binding()->copy_cqes(ring, cqes, room, wait_nr);
}

static int submit_one_too_many(struct uring_binding_ring* ring) {
  raw_uring_binding()->submit(ring);
  return raw_uring_binding()->submit(ring);
}

static int submit_and_hang(struct uring_binding_ring* ring) {
  (void)ring;
  for (;;) pause();
}

static int create_three(uint32_t entries, uint32_t flags, struct uring_binding_ring** ring,
                        const char** reason) {
  const int result = raw_uring_binding()->create(entries, flags, ring, reason);
  return result == 0 ? 3 : result;
}

static int create_nothing(uint32_t entries, uint32_t flags, struct uring_binding_ring** ring,
                          const char** reason) {
  (void)entries, (void)flags, (void)reason;
  *ring = NULL;
  return 0;
}

static int copy_more_than_room(struct uring_binding_ring* ring, struct uring_binding_cqe* cqes, uint32_t room,
                               uint32_t wait_nr) {
  const int count = raw_uring_binding()->copy_cqes(ring, cqes, room, wait_nr);
  return count > 0 ? (int)room + 1 : count;
}

static int create_refused(uint32_t entries, uint32_t flags, struct uring_binding_ring** ring,
                          const char** reason) {
  (void)entries, (void)flags, (void)ring, (void)reason;
  return URING_BINDING_REFUSED;
}

static int copy_without_wait(struct uring_binding_ring* ring, struct uring_binding_cqe* cqes, uint32_t room,
                             uint32_t wait_nr) {
  (void)wait_nr;
  return raw_uring_binding()->copy_cqes(ring, cqes, room, 0);
}

/* The beginning of the ring in ../raw/raw.c. */
struct uring_binding_ring {
  int fd;
  struct io_uring_params params;
  char* rings;
};

/* Gives back an entry although there was none to read. */
static int copy_and_advance_anyway(struct uring_binding_ring* ring, struct uring_binding_cqe* cqes,
                                   uint32_t room, uint32_t wait_nr) {
  const int count = raw_uring_binding()->copy_cqes(ring, cqes, room, wait_nr);
  if (count < 0) ++*(uint32_t*)(void*)(ring->rings + ring->params.cq_off.head);
  return count;
}

static int copy_after_wait_for_one(struct uring_binding_ring* ring, struct uring_binding_cqe* cqes,
                                   uint32_t room, uint32_t wait_nr) {
  return raw_uring_binding()->copy_cqes(ring, cqes, room, wait_nr > 0 ? 1 : 0);
}

static int copy_and_ask_again(struct uring_binding_ring* ring, struct uring_binding_cqe* cqes, uint32_t room,
                              uint32_t wait_nr) {
  const int is_empty = raw_uring_binding()->cq_ready(ring) == 0;
  while (is_empty && raw_uring_binding()->cq_ready(ring) < wait_nr) raw_uring_binding()->enter(ring, 0, 0, 1);
  return raw_uring_binding()->copy_cqes(ring, cqes, room, wait_nr);
}

static int submit_without_wait(struct uring_binding_ring* ring, uint32_t wait_nr) {
  (void)wait_nr;
  return raw_uring_binding()->submit(ring);
}

static int copy_and_submit(struct uring_binding_ring* ring, struct uring_binding_cqe* cqes, uint32_t room,
                           uint32_t wait_nr) {
  if (wait_nr > 0 && raw_uring_binding()->cq_ready(ring) == 0)
    raw_uring_binding()->submit_and_wait(ring, wait_nr);
  return raw_uring_binding()->copy_cqes(ring, cqes, room, wait_nr);
}

static int submit_what_it_counted(struct uring_binding_ring* ring) {
  const int count = (int)raw_uring_binding()->sq_ready(ring);
  const int result = raw_uring_binding()->submit(ring);
  return result < 0 ? result : count;
}

static int submit_and_exit(struct uring_binding_ring* ring) {
  (void)ring;
  exit(0);
}

static int submit_and_exit_at_once(struct uring_binding_ring* ring) {
  (void)ring;
  _exit(0);
}

static void* exit_thread(void* nothing) {
  (void)nothing;
  exit(0);
}

static int submit_and_exit_elsewhere(struct uring_binding_ring* ring) {
  pthread_t thread;
  (void)ring;
  pthread_create(&thread, NULL, exit_thread, NULL);
  for (;;) pause();
}

static int prepare_and_exit(void* sqe, uint32_t operation, const struct uring_binding_arguments* arguments,
                            const char** reason) {
  (void)sqe, (void)operation, (void)arguments, (void)reason;
  exit(0);
}

static int create_with_another_errno(uint32_t entries, uint32_t flags, struct uring_binding_ring** ring,
                                     const char** reason) {
  const int result = raw_uring_binding()->create(entries, flags, ring, reason);
  return result < 0 ? -1 : result;
}

static void destroy_twice(struct uring_binding_ring* ring) {
  struct uring_binding_facts facts;
  raw_uring_binding()->describe(ring, &facts);
  raw_uring_binding()->destroy(ring);
  close(facts.fd);
}

/* Gives the registered descriptor back when the kernel can no longer find the ring. */
static void unregister_too_late(struct uring_binding_ring* ring) {
  struct io_uring_rsrc_update slot = {.offset = 0};
  struct uring_binding_facts facts;
  raw_uring_binding()->describe(ring, &facts);
  raw_uring_binding()->destroy(ring);
  syscall(SYS_io_uring_register, facts.fd, IORING_UNREGISTER_RING_FDS, &slot, 1);
}

static int create_u16(uint32_t entries, uint32_t flags, struct uring_binding_ring** ring,
                      const char** reason) {
  if (entries <= UINT16_MAX) return raw_uring_binding()->create(entries, flags, ring, reason);
  *reason = "its number of entries is a u16";
  return URING_BINDING_NOT_EXPRESSIBLE;
}

static int create_checked(uint32_t entries, uint32_t flags, struct uring_binding_ring** ring,
                          const char** reason) {
  if (entries == 0) return URING_BINDING_ENTRIES_ZERO;
  if ((entries & (entries - 1)) != 0) return URING_BINDING_ENTRIES_NOT_POWER_OF_TWO;
  return raw_uring_binding()->create(entries, flags, ring, reason);
}

static int create_and_lose_errno(uint32_t entries, uint32_t flags, struct uring_binding_ring** ring,
                                 const char** reason) {
  const int result = raw_uring_binding()->create(entries, flags, ring, reason);
  return result < 0 ? URING_BINDING_ERRNO_LOST : result;
}

static int submit_and_lose_all(struct uring_binding_ring* ring) {
  raw_uring_binding()->submit(ring);
  return URING_BINDING_ERRNO_LOST;
}

static int no_enter(struct uring_binding_ring* ring, uint32_t to_submit, uint32_t min_complete,
                    uint32_t flags) {
  (void)ring, (void)to_submit, (void)min_complete, (void)flags;
  return URING_BINDING_NOT_EXPRESSIBLE;
}

static int enter_as_it_likes(struct uring_binding_ring* ring, uint32_t to_submit, uint32_t min_complete,
                             uint32_t flags) {
  (void)to_submit, (void)min_complete;
  return raw_uring_binding()->enter(ring, 0, 0, flags);
}

static int enter_another_errno(struct uring_binding_ring* ring, uint32_t to_submit, uint32_t min_complete,
                               uint32_t flags) {
  const int result = raw_uring_binding()->enter(ring, to_submit, min_complete, flags);
  return result < 0 ? -1 : result;
}

static int create_without_flags(uint32_t entries, uint32_t flags, struct uring_binding_ring** ring,
                                const char** reason) {
  (void)flags;
  return raw_uring_binding()->create(entries, 0, ring, reason);
}

static int no_words_for_an_errno(struct uring_binding_ring* ring, uint32_t registration, void* argument,
                                 uint32_t count, uint32_t first, const char** reason) {
  const int result = raw_uring_binding()->do_register(ring, registration, argument, count, first, reason);
  if (result >= 0) return result;
  *reason = "it is hard to say";
  return URING_BINDING_NOT_EXPRESSIBLE;
}

static void keep_group(struct uring_binding_ring* ring, struct uring_binding_group* group) {
  (void)ring, (void)group;
}

static int create_whole(struct uring_binding_ring* ring, uint32_t id, void* memory, uint32_t count,
                        uint32_t size, uint32_t consumption, struct uring_binding_group** created,
                        const char** reason) {
  (void)consumption;
  return raw_uring_binding()->group_create(ring, id, memory, count, size, URING_BINDING_WHOLE, created,
                                           reason);
}

static int get_nothing(const struct uring_binding_group* group, const struct uring_binding_cqe* cqe,
                       void** data) {
  (void)group, (void)cqe, (void)data;
  return 0;
}

static int prepare_no_read(void* sqe, uint32_t operation, const struct uring_binding_arguments* arguments,
                           const char** reason) {
  if (operation != URING_BINDING_READ) return raw_uring_binding()->prepare(sqe, operation, arguments, reason);
  *reason = "it cannot read";
  return URING_BINDING_NOT_EXPRESSIBLE;
}

static int prepare_refused(void* sqe, uint32_t operation, const struct uring_binding_arguments* arguments,
                           const char** reason) {
  (void)sqe, (void)operation, (void)arguments, (void)reason;
  return URING_BINDING_REFUSED;
}

// What no kernel reads may be anything.
static int prepare_with_other_fd(void* sqe, uint32_t operation,
                                 const struct uring_binding_arguments* arguments, const char** reason) {
  const int result = raw_uring_binding()->prepare(sqe, operation, arguments, reason);
  if (operation == URING_BINDING_NOP ||
      (operation >= URING_BINDING_TIMEOUT && operation <= URING_BINDING_CANCEL)) {
    ((struct io_uring_sqe*)sqe)->fd = 77;
  }
  return result;
}

static volatile int depth;
static int dig(int level) { return level == 0 ? 0 : dig(level + 1) + depth; }
static int create_deep(uint32_t entries, uint32_t flags, struct uring_binding_ring** ring,
                       const char** reason) {
  (void)entries, (void)flags, (void)ring, (void)reason;
  return dig(1);
}

static void describe_too_much(const struct uring_binding_ring* ring, struct uring_binding_facts* facts) {
  raw_uring_binding()->describe(ring, facts);
  facts->features = UINT32_MAX;
}

static void describe_other(const struct uring_binding_ring* ring, struct uring_binding_facts* facts) {
  raw_uring_binding()->describe(ring, facts);
  facts->fd = STDIN_FILENO;
}

static void describe_no_features(const struct uring_binding_ring* ring, struct uring_binding_facts* facts) {
  raw_uring_binding()->describe(ring, facts);
  facts->features = 0;
}

static void destroy_nothing(struct uring_binding_ring* ring) { (void)ring; }

const struct uring_binding_v1* uring_binding(void) {
  static struct uring_binding_v1 table;
  table = *raw_uring_binding();
  table.name = "broken";
  table.prepare = prepare;
  if (is_broken("version")) table.version = 2;
  if (is_broken("size")) table.size = 64;
  if (is_broken("null")) table.enter = NULL;
  if (is_broken("capability")) table.indices = NULL;
  if (is_broken("advance")) table.copy_cqes = copy_without_advance;
  if (is_broken("sleep")) table.copy_cqes = copy_without_sleep;
  if (is_broken("submit")) table.submit = submit_one_too_many;
  if (is_broken("hang")) table.submit = submit_and_hang;
  if (is_broken("no_table")) return NULL;
  if (is_broken("cqe_size")) table.cqe_size = 12;
  if (is_broken("refused")) table.create = create_refused;
  if (is_broken("other_fd")) table.describe = describe_other;
  if (is_broken("no_wait")) table.copy_cqes = copy_without_wait;
  if (is_broken("no_sleep")) table.submit_and_wait = submit_without_wait;
  if (is_broken("publish")) table.copy_cqes = copy_and_submit;
  if (is_broken("count")) table.submit = submit_what_it_counted;
  if (is_broken("exit")) table.submit = submit_and_exit;
  if (is_broken("_exit")) table.submit = submit_and_exit_at_once;
  if (is_broken("thread")) table.submit = submit_and_exit_elsewhere;
  if (is_broken("prepare_exit")) table.prepare = prepare_and_exit;
  if (is_broken("minus_1")) table.create = create_with_another_errno;
  if (is_broken("twice")) table.destroy = destroy_twice;
  if (is_broken("no_enter")) table.enter = no_enter;
  if (is_broken("one")) table.copy_cqes = copy_after_wait_for_one;
  if (is_broken("again")) table.copy_cqes = copy_and_ask_again;
  if (is_broken("enter")) table.enter = enter_as_it_likes;
  if (is_broken("errno")) table.enter = enter_another_errno;
  if (is_broken("setup")) table.create = create_without_flags;
  if (is_broken("words")) table.do_register = no_words_for_an_errno;
  if (is_broken("group")) table.group_destroy = keep_group;
  if (is_broken("whole")) table.group_create = create_whole;
  if (is_broken("get")) table.group_get = get_nothing;
  if (is_broken("no_read")) table.prepare = prepare_no_read;
  if (is_broken("prepare")) table.prepare = prepare_refused;
  if (is_broken("unread")) table.prepare = prepare_with_other_fd;
  if (is_broken("deep")) table.create = create_deep;
  if (is_broken("too_much")) table.describe = describe_too_much;
  if (is_broken("create")) table.create = create_three;
  if (is_broken("no_ring")) table.create = create_nothing;
  if (is_broken("room")) table.copy_cqes = copy_more_than_room;
  if (is_broken("features")) table.describe = describe_no_features;
  if (is_broken("leak")) table.destroy = destroy_nothing;
  if (is_broken("zeros")) table.prepare = prepare_in_zeros;
  if (is_broken("nop_clean")) table.prepare = prepare_only_nop_clean;
  if (is_broken("old_flags")) table.prepare = prepare_with_old_flags;
  if (is_broken("cut")) table.prepare = prepare_cut;
  if (is_broken("late")) table.get_sqe = get_and_remember;
  if (is_broken("late")) table.submit = change_and_submit;
  if (is_broken("advance_anyway")) table.copy_cqes = copy_and_advance_anyway;
  if (is_broken("too_late")) table.destroy = unregister_too_late;
  if (is_broken("u16")) table.create = create_u16;
  if (is_broken("checked")) table.create = create_checked;
  if (is_broken("checked")) table.capabilities |= URING_BINDING_CHECKS_ENTRIES;
  if (is_broken("lost")) table.create = create_and_lose_errno;
  if (is_broken("lose_all")) table.submit = submit_and_lose_all;
  return &table;
}
