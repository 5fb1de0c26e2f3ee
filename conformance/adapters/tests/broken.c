/* The adapter `raw` with one thing broken, named by the environment variable URING_BROKEN: what an author of
 * an adapter may get wrong. CMakeLists.txt beside this file demands that each of them turns red, in the right
 * layer and row. */
#include <stdlib.h>
#include <string.h>
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

/* --- mechanics
 * ---------------------------------------------------------------------------------------------------- */

/* Copies without giving back: the same CQE comes for ever. */
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

/* Asks again and again instead of sleeping. */
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
  if (is_broken("create")) table.create = create_three;
  if (is_broken("no_ring")) table.create = create_nothing;
  if (is_broken("room")) table.copy_cqes = copy_more_than_room;
  if (is_broken("features")) table.describe = describe_no_features;
  if (is_broken("leak")) table.destroy = destroy_nothing;
  return &table;
}
