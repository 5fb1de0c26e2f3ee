/* An adapter to start from: it reports everything as not expressible. Replace that function by function; the
 * comments in uring_binding.h say what each must do. */
#include <errno.h>
#include <stdlib.h>

#include "uring_binding.h"

struct uring_binding_ring {
  int to_do; /* your binding's ring */
};

/* --- layer "encodings": what an SQE looks like
 * ------------------------------------------------------------------- */

static int prepare(void* sqe, uint32_t operation, const struct uring_binding_arguments* arguments,
                   const char** reason) {
  (void)sqe, (void)arguments;
  switch (operation) {
    /* case URING_BINDING_NOP: yours_prepare_nop(sqe, arguments->user_data); return 0; */
    default: *reason = "the adapter does not have it yet"; return URING_BINDING_NOT_EXPRESSIBLE;
  }
}

/* --- layer "mechanics": two queues
 * ------------------------------------------------------------------------------- */

static int create(uint32_t entries, uint32_t flags, struct uring_binding_ring** ring, const char** reason) {
  (void)entries, (void)flags, (void)ring;
  *reason = "the adapter opens no ring yet";
  return URING_BINDING_NOT_EXPRESSIBLE;
}

static void destroy(struct uring_binding_ring* ring) { free(ring); }

static void describe(const struct uring_binding_ring* ring, struct uring_binding_facts* facts) {
  (void)ring;
  *facts = (struct uring_binding_facts){.fd = -1};
}

static void* get_sqe(struct uring_binding_ring* ring) { return (void)ring, NULL; }

static int submit_and_wait(struct uring_binding_ring* ring, uint32_t wait_nr) {
  return (void)ring, (void)wait_nr, -ENOSYS;
}

static int submit(struct uring_binding_ring* ring) { return submit_and_wait(ring, 0); }

static int enter(struct uring_binding_ring* ring, uint32_t to_submit, uint32_t min_complete, uint32_t flags) {
  return (void)ring, (void)to_submit, (void)min_complete, (void)flags, -ENOSYS;
}

static uint32_t sq_ready(const struct uring_binding_ring* ring) { return (void)ring, 0; }
static uint32_t cq_ready(const struct uring_binding_ring* ring) { return (void)ring, 0; }

static int copy_cqes(struct uring_binding_ring* ring, struct uring_binding_cqe* cqes, uint32_t room,
                     uint32_t wait_nr) {
  return (void)ring, (void)cqes, (void)room, (void)wait_nr, -ENOSYS;
}

/* --- layer "operations"
 * ------------------------------------------------------------------------------------------ */

static int do_register(struct uring_binding_ring* ring, uint32_t registration, void* argument, uint32_t count,
                       uint32_t first, const char** reason) {
  (void)ring, (void)registration, (void)argument, (void)count, (void)first;
  *reason = "the adapter does not have it yet";
  return URING_BINDING_NOT_EXPRESSIBLE;
}

/* Later: .indices with URING_BINDING_SHOWS_INDICES, and the four .group_ functions with
 * URING_BINDING_BUFFER_GROUPS and, if your binding can, URING_BINDING_INCREMENTAL_GROUPS. */

const struct uring_binding_v1* uring_binding(void) {
  static const struct uring_binding_v1 table = {
      .size = sizeof table,
      .version = URING_BINDING_VERSION,
      .name = "template",
      .binding_version = "0",
      .capabilities = 0,
      .sqe_size = 64, /* sizeof your binding's types */
      .cqe_size = 16,
      .create = create,
      .destroy = destroy,
      .describe = describe,
      .get_sqe = get_sqe,
      .prepare = prepare,
      .submit = submit,
      .submit_and_wait = submit_and_wait,
      .enter = enter,
      .sq_ready = sq_ready,
      .cq_ready = cq_ready,
      .copy_cqes = copy_cqes,
      .do_register = do_register,
  };
  return &table;
}
