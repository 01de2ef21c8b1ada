/*
 * The rules inside Redis (docs/decisions/006, the first layer) for one key and two servers that fill:
 * leases, markers, "only if newer". They keep an old value out as long as Redis remembers them and
 * every commit is told to it. This model shows that, and what it takes to break them: it is why no
 * server believes Redis without the change log, which is coherence.pml's matter.
 */

#ifndef CHANGES
#define CHANGES 4
#endif
#define VERSIONS (CHANGES + 1) /* the item was there before, as version 1 */
#define BIT(n) (1 << (n))

unsigned top : 3 = 1; /* the newest committed version */
unsigned deletes : 8; /* bit n: version n is a delete */

#define HOLE 0
#define COPY 1
#define MARKER 2
#define LEASE 3
typedef Entry {
  unsigned kind : 2;
  unsigned version : 3;
  unsigned lease : 3
};
Entry shared;
Entry replica; /* an older state, which a failover or a restart brings back */

/* A command that was sent and is carried out at any later moment, or never. */
#define NOTHING 0
#define FILL 1
#define SETTLE 2
unsigned stalled : 2;
unsigned stalledVersion : 3;
unsigned stalledLease : 3;

typedef Reader {
  unsigned got : 3; /* what the database answered; 0: no read under way */
  unsigned lease : 3
};
Reader reader[2];

byte c; /* for use within one step */

/* A copy enters where its lease still lives. */
inline fill(fresh, token) {
  if
#ifdef NO_LEASE
  :: shared.kind == HOLE || shared.version < fresh ->
#else
  :: shared.kind == LEASE && shared.lease == token ->
#endif
    shared.kind = COPY;
    shared.version = fresh;
    shared.lease = 0
  :: else
  fi
}

/* After a commit: what is older makes way, to a copy where a copy or a marker was, else to a marker. */
inline settle(fresh) {
  if
  :: (shared.kind == COPY || shared.kind == MARKER) && shared.version >= fresh
  :: else ->
#ifdef FILL_HOLE
    c = !(deletes & BIT(fresh));
#else
    c = !(deletes & BIT(fresh)) && shared.kind != HOLE && shared.kind != LEASE;
#endif
    shared.kind = (c -> COPY : MARKER);
    shared.version = fresh;
    shared.lease = 0;
    c = 0
  fi
}

inline forget() {
  shared.kind = HOLE;
  shared.version = 0;
  shared.lease = 0
}

inline endStalled() {
  stalled = NOTHING;
  stalledVersion = 0;
  stalledLease = 0
}

#define HELD(token) (shared.lease == token || replica.lease == token || stalledLease == token || \
  reader[0].lease == token || reader[1].lease == token)

/* The lease is taken, then the database is read: in one step, as a write between them kills it. */
inline leaseAndRead(r) {
  c = 1;
  do
  :: HELD(c) -> c++
  :: else -> break
  od;
  assert(c < 8);
  reader[r].lease = c;
  reader[r].got = top;
  shared.kind = LEASE;
  shared.version = 0;
  shared.lease = c;
  c = 0
}

inline endRead(r) {
  reader[r].got = 0;
  reader[r].lease = 0
}

/* Every commit is told to Redis at once, and once more by a command that may be late. */
inline commit() {
  top++;
#ifndef WRITER_DIES
  settle(top);
#endif
}

#define FILLS(r) (reader[r].got && !(deletes & BIT(reader[r].got)))
#define READER(r) \
  :: d_step { !reader[r].got && (shared.kind == HOLE || shared.kind == MARKER) -> leaseAndRead(r) } \
  :: d_step { FILLS(r) -> c = reader[r].got; fill(c, reader[r].lease); c = 0; endRead(r) } \
  :: d_step { FILLS(r) && !stalled -> \
    stalled = FILL; stalledVersion = reader[r].got; stalledLease = reader[r].lease; endRead(r) } \
  :: d_step { reader[r].got -> endRead(r) }

init {
  do
  :: d_step { top < VERSIONS -> commit() }
  :: d_step { top < VERSIONS -> deletes = deletes | BIT(top + 1); commit() }
  :: d_step { top > 1 && !stalled -> stalled = SETTLE; stalledVersion = top }

  READER(0)
  READER(1)
  /* What a server would serve if it believed Redis. */
  :: d_step { shared.kind == COPY -> assert(shared.version == top) }

  :: d_step { stalled == FILL -> fill(stalledVersion, stalledLease); endStalled() }
  :: d_step { stalled == SETTLE -> settle(stalledVersion); endStalled() }
  :: d_step { stalled -> endStalled() }

  /* Eviction, the end of a lease, a flush. */
  :: d_step { shared.kind != HOLE -> forget() }
#ifdef FAILOVER
  :: d_step { replica.kind = shared.kind; replica.version = shared.version; replica.lease = shared.lease }
  :: d_step { shared.kind = replica.kind; shared.version = replica.version; shared.lease = replica.lease }
#endif
  od
}
