/*
 * The coherence protocol of docs/decisions/002 and 006: one key and one server, among others, seen
 * from the inside. The others are what they can do to it: they write, they die before they say so,
 * and they leave copies in the shared tier. README.md beside this file says why that is enough.
 *
 * One process whose options are the steps of everybody. What the server or the database does without
 * a pause is one step; a pause, a slow network, a late timer are steps that come late.
 */

#ifndef WRITES
#define WRITES 2 /* transaction ids 1..WRITES; the item was there before them, as version 1 */
#endif
#ifndef BOUND
#define BOUND 2 /* maxStalenessMs in ticks: 1 or 2 */
#endif
/*
 * What may happen:
 * ASK the server reads the database and keeps the answer · OWN it writes · BUS it hears announcements
 * RESTART it restarts · ABORT transactions abort · CRASH the database crashes · TRIM its log is trimmed
 * SHARED there is a shared tier · ROLL RecentChanges drops its oldest segment
 * POLL_SPLIT a poll is sent, carried out and answered in three steps; else carried out when sent
 * MONOTONIC the server also never shows something older than it has shown
 */

#define VERSIONS (WRITES + 1)
#define ANY 7 /* above all versions */
#define BIT(n) (1 << (n))

/* ---- the database ------------------------------------------------------------------------------- */
#define UNUSED 0
#define RUNNING 1
#define COMMITTED 2
#define ABORTED 3
typedef Transaction {
  unsigned state : 2;
  unsigned version : 3
};
Transaction tx[WRITES + 1]; /* by transaction id */
unsigned nextXid : 3 = 1;
unsigned lastEnded : 3; /* the snapshot's xmax is this + 1 */
unsigned top : 3 = 1; /* changes of the item that are committed: the last one is the truth */
unsigned deletes : 5; /* bit n: the n-th change was a delete */
unsigned trimmedRows : 4; /* bit x: the log row of transaction x is gone */
unsigned trimmedXid : 3;

/* The truth one tick ago, and BOUND ticks ago: nothing older than that may be shown. */
unsigned before : 3 = 1;
unsigned oldest : 3 = 1;

/* The n-th change as servers see it. Drawn from wall clocks, versions are not in the order of commits. */
#ifdef WALL_CLOCK
#define VERSION(n) ((n) < 2 -> (n) : VERSIONS + 2 - (n))
#else
#define VERSION(n) (n)
#endif
#define NTH(version_) VERSION(version_)
#define IS_DELETE(version_) (deletes & BIT(NTH(version_)))

/* ---- the shared tier ---------------------------------------------------------------------------- */
#ifdef SHARED
/*
 * Whatever Redis loses, keeps, carries out late or brings back: it can only show a copy that somebody
 * once made. For each version the greatest place at which one was made (0: never); a copy proven as of
 * an earlier place is believed in fewer cases.
 */
typedef Made {
  unsigned provenAt : 3
};
Made made[VERSIONS + 1];
unsigned otherPlace : 3; /* up to where another server, which fills, has seen the log */
#endif

/* ---- the server --------------------------------------------------------------------------------- */
#define IDLE 0
#define FROM_SHARED 1
#define FROM_DATABASE 2
#define SENT 1
#define ANSWERED 2
bit up; /* has its first proof */
unsigned age : 2 = BOUND; /* ticks since the last proof was asked for */
unsigned copy : 3; /* in process memory; 0: none */
unsigned limit : 3; /* of the last snapshot: transactions from here on were not in it, */
unsigned running : 4; /* nor were these */
#ifdef TIMER
bit armed;
#endif
/* a poll under way */
unsigned poll : 2;
unsigned pollAge : 2;
unsigned pollLimit : 3;
unsigned pollRunning : 4;
unsigned pollChanges : 4;
bit pollGap;
/* a read under way: what it got, and the token taken before */
unsigned reading : 2;
unsigned got : 3;
unsigned token : 3;
#ifdef OWN
unsigned writing : 3; /* the transaction */
unsigned writeToken : 3;
#endif
#ifdef SHARED
unsigned gotPlace : 3;
/* RecentChanges: newest version in the older and in the newer segment, and from where they are complete */
unsigned olderSegment : 3;
unsigned newerSegment : 3;
unsigned completeFrom : 3;
unsigned newerFrom : 3;
#endif
#ifdef MONOTONIC
unsigned shown : 3;
/*
 * ReadsAhead: newest version seen since the last poll was applied, and since the one before, and
 * whether the item was seen to be absent.
 */
unsigned ahead : 3;
unsigned aheadBefore : 3;
bit absent;
bit absentBefore;
#endif

/* for use within one step: 0 between steps */
byte x;
byte y;
byte place;

/*
 * Situations that must come up, or the search would prove nothing: with -DREACH=n, that the n-th does
 * is an error like a broken property.
 */
#define STALE 1 /* something old is served, within the bound */
#define BELIEF 2 /* the newest version is taken from the shared tier */
#define DISBELIEF 3 /* it is refused there although it is the newest */
#define GAP 4 /* copies are dropped because changes may have been missed */
#ifdef REACH
#define reached(situation, holds) assert(REACH != situation || !(holds))
#else
#define reached(situation, holds) skip
#endif

/* ---- what must hold ----------------------------------------------------------------------------- */

/* Nothing is shown that is older than the bound, or older than what the follower has seen. */
inline check(served) {
  reached(STALE, NTH(served) < top);
  assert(NTH(served) >= oldest);
#ifndef BOUND_ONLY
  for (x : 1 .. WRITES) {
    assert(!(tx[x].state == COMMITTED && x < limit && !(running & BIT(x)) &&
      NTH(tx[x].version) > NTH(served)))
  }
  x = 0;
#endif
#ifdef MONOTONIC
  assert(NTH(served) >= shown);
  shown = NTH(served)
#endif
}

#ifdef TIMER
#define VALID armed
#else
#define VALID (age < BOUND)
#endif

/* ---- copies in the process ---------------------------------------------------------------------- */

inline retire(changed) {
  if
  :: copy < changed -> copy = 0
  :: else
  fi
}

/* The item has changed: what is older goes, and answers that are older are refused. */
inline invalidate(changed) {
  retire(changed);
#ifndef NO_TOKEN
  if
  :: reading != IDLE && token < changed -> token = changed
  :: else
  fi;
#ifdef OWN
  if
  :: writing && writeToken < changed -> writeToken = changed
  :: else
  fi
#endif
#endif
}

/* What was shown from the shared tier no token knows: an absence the authority alone shows. */
#if defined(MONOTONIC) && !defined(FILL_NOT_ASKED)
#define IS_ADMITTED(fresh) (fresh >= ahead && fresh >= aheadBefore)
#else
#define IS_ADMITTED(fresh) 1
#endif

inline keep(fresh, allowedFrom) {
  if
  :: fresh >= allowedFrom && copy < fresh && IS_ADMITTED(fresh) -> copy = fresh
  :: else
  fi
}

inline endRead() {
  reading = IDLE;
  got = 0;
  token = 0;
#ifdef SHARED
  gotPlace = 0
#endif
}

/* ---- the change log ----------------------------------------------------------------------------- */

/* Where a snapshot ends: no later transaction has an id below it, not even after a crash. */
inline findEnd() {
#ifdef UP_TO_XMAX
  place = lastEnded + 1;
#else
  place = trimmedXid;
  for (x : 1 .. WRITES) {
    if
    :: tx[x].state == COMMITTED && x > place -> place = x
    :: else
    fi
  }
  x = 0;
  place++
#endif
}

/* The database carries a poll out: one snapshot, and the changes that the last one did not show. */
inline carryOutPoll() {
  poll = ANSWERED;
  pollGap = !up || trimmedXid >= limit;
  for (x : 1 .. WRITES) {
    if
    :: tx[x].state == RUNNING && x <= lastEnded -> pollRunning = pollRunning | BIT(x)
    :: else
    fi;
    if
    :: tx[x].state == COMMITTED && !(trimmedRows & BIT(x)) && (x >= limit || (running & BIT(x))) ->
      pollChanges = pollChanges | BIT(x)
    :: else
    fi;
    if
    :: (running & BIT(x)) && x <= trimmedXid && tx[x].state != RUNNING -> pollGap = 1
    :: else
    fi
  }
  x = 0;
  findEnd();
  pollLimit = place;
  place = 0;
#ifdef READ_BY_ID
  pollRunning = 0
#endif
}


inline endPoll() {
  poll = IDLE;
  pollAge = 0;
  pollLimit = 0;
  pollRunning = 0;
  pollChanges = 0;
  pollGap = 0
}

/* RecentChanges takes note of a version. */
inline recall(changed) {
#ifdef SHARED
  if
  :: newerSegment < changed -> newerSegment = changed
  :: else
  fi
#else
  skip
#endif
}

#ifdef SHARED
/* RecentChanges lets go of its older segment and begins another one, which is complete from `start`. */
inline roll(start) {
  olderSegment = newerSegment;
  newerSegment = 0;
  completeFrom = newerFrom;
  newerFrom = start
}
#endif

/* Changes may have been missed, or following begins. */
inline dropAll() {
#ifdef NO_FLUSH
  if
  :: !up -> invalidate(ANY)
  :: else
  fi;
#else
  invalidate(ANY);
#endif
#ifdef SHARED
#ifdef GAP_SPARES_TABLE
  if
  :: !up ->
#else
  /* What RecentChanges knows stays true; it only is not all any more. */
  if
  :: true ->
#endif
    completeFrom = pollLimit;
    newerFrom = pollLimit
#ifdef GAP_SPARES_TABLE
  :: else
#endif
  fi
#endif
}

/* The answer reaches the server. `rolls`: after the first change, RecentChanges begins a new segment. */
inline applyPoll(rolls) {
  if
  :: pollGap ->
    reached(GAP, up && copy);
    dropAll()
  :: else
  fi;
#ifndef BUS_ONLY
  y = rolls;
  for (x : 1 .. WRITES) {
    if
    :: pollChanges & BIT(x) ->
      place = tx[x].version;
      invalidate(place);
      recall(place);
      place = 0;
#ifdef SHARED
      if
      :: y ->
        y = 0;
#ifdef ROLL_BEFORE_POLL
        roll(limit)
#else
        roll(pollLimit)
#endif
      :: else
      fi
#endif
    :: else
    fi
  }
  x = 0;
  y = 0;
#endif
  limit = pollLimit;
  running = pollRunning;
#ifdef FROM_ANSWER
  age = 0;
#else
  age = pollAge;
#endif
#ifdef TIMER
  armed = age < BOUND;
#endif
#ifdef MONOTONIC
  aheadBefore = ahead;
  ahead = 0;
  absentBefore = absent;
  absent = 0;
#endif
  up = 1;
  endPoll()
}

/* ---- reads and writes --------------------------------------------------------------------------- */

/* ReadsAhead takes note: from now on nothing older is shown. */
inline note(version_) {
#ifdef MONOTONIC
#ifndef FORGETFUL
  if
  :: ahead < version_ -> ahead = version_
  :: else
  fi;
#endif
  if
  :: shown < NTH(version_) -> shown = NTH(version_)
  :: else
  fi
#else
  skip
#endif
}

/* The shared tier has shown a version. Queries in flight are not told. */
inline learnShared(version_) {
#if defined(MONOTONIC) && !defined(FORGETFUL)
  retire(version_);
#endif
  note(version_)
}

/* The database has. */
inline learnAnswer(version_) {
#ifdef MONOTONIC
  if
  :: IS_DELETE(version_) ->
#ifndef FORGETFUL
    /* Which version the absence has, the database does not say. */
    invalidate(ANY);
    absent = 1;
#endif
    if
    :: shown < NTH(version_) -> shown = NTH(version_)
    :: else
    fi
  :: else ->
#ifndef FORGETFUL
    invalidate(version_);
#endif
    note(version_)
  fi
#else
  skip
#endif
}

#ifdef SHARED
#ifdef NO_PLACE
#define IS_COMPLETE 1
#else
#define IS_COMPLETE (gotPlace >= completeFrom)
#endif
#ifdef NO_VERSION_CHECK
#define IS_NEWEST 1
#else
#define IS_NEWEST (got >= olderSegment && got >= newerSegment)
#endif
#ifdef NO_TABLE
#define BELIEVED VALID
#else
#ifdef MONOTONIC
#define BELIEVED (VALID && IS_COMPLETE && IS_NEWEST && !absent && !absentBefore && \
  got >= ahead && got >= aheadBefore)
#else
#define BELIEVED (VALID && IS_COMPLETE && IS_NEWEST)
#endif
#endif

inline judge() {
  if
  :: BELIEVED ->
    reached(BELIEF, got > 1 && NTH(got) == top && !copy);
    check(got);
#ifndef SHARED_NOT_NOTED
    learnShared(got);
#endif
    keep(got, token)
  :: else -> reached(DISBELIEF, VALID && NTH(got) == top)
  fi;
  endRead()
}

/* Another server reads the database and leaves a copy. */
inline fillByOther() {
  place = otherPlace;
  if
  :: made[VERSION(top)].provenAt < place -> made[VERSION(top)].provenAt = place
  :: else
  fi;
  place = 0
}

/* Another server polls: the place up to which it has seen the log is where nothing runs below it. */
inline pollByOther() {
  findEnd();
  for (x : 1 .. WRITES) {
    if
    :: tx[x].state == RUNNING && x <= lastEnded && x < place -> place = x
    :: else
    fi
  }
  x = 0;
  if
  :: otherPlace < place -> otherPlace = place
  :: else
  fi;
  place = 0
}
#endif

inline takeAnswer() {
  learnAnswer(got);
  if
  :: !IS_DELETE(got) -> keep(got, token)
  :: else
  fi;
  endRead()
}

#ifdef OWN
inline endWrite() {
  writing = 0;
  writeToken = 0
}

inline takeReceipt() {
  place = tx[writing].version;
  invalidate(place);
  note(place);
  if
  :: !IS_DELETE(place) -> keep(place, writeToken)
  :: else
  fi;
  place = 0;
  endWrite()
}
#endif

inline restart() {
  up = 0;
  age = BOUND;
  copy = 0;
  limit = 0;
  running = 0;
#ifdef OWN
  endWrite();
#endif
#ifdef SHARED
  olderSegment = 0;
  newerSegment = 0;
  completeFrom = 0;
  newerFrom = 0;
#endif
#ifdef MONOTONIC
  shown = 0;
  ahead = 0;
  aheadBefore = 0;
  absent = 0;
  absentBefore = 0;
#endif
  endRead();
  endPoll()
}

/* ---- steps of the database and of time ---------------------------------------------------------- */

inline end(id) {
  if
  :: id > lastEnded -> lastEnded = id
  :: else
  fi
}

inline commit(id) {
  top++;
  tx[id].version = VERSION(top);
  tx[id].state = COMMITTED;
  end(id)
}

inline trim(id) {
  trimmedRows = trimmedRows | BIT(id);
  if
  :: id > trimmedXid -> trimmedXid = id
  :: else
  fi
}

/* What runs is gone. Ids from `first` on left no trace in the WAL and are given out again. */
inline crash(first) {
  for (x : 1 .. WRITES) {
    if
    :: x >= first -> tx[x].state = UNUSED
    :: x < first && tx[x].state == RUNNING -> tx[x].state = ABORTED
    :: else
    fi
  }
  x = 0;
  nextXid = first;
  lastEnded = first - 1;
#ifdef OWN
  if
  :: writing && tx[writing].state != COMMITTED ->
    invalidate(ANY);
    endWrite()
  :: else
  fi
#endif
}

inline tick() {
#if BOUND == 2
  oldest = before;
#else
  oldest = top;
#endif
  before = top;
  if
  :: age < BOUND -> age++
  :: else
  fi;
  if
  :: poll != IDLE && pollAge < BOUND -> pollAge++
  :: else
  fi
}

#define TRANSACTION(id) \
  :: d_step { tx[id].state == RUNNING && top < VERSIONS -> commit(id) } \
  :: d_step { tx[id].state == RUNNING && top < VERSIONS -> deletes = deletes | BIT(top + 1); commit(id) } \
  ABORTS(id) TRIMS(id) BUS_TELLS(id) SHARED_SHOWS(id)

#ifdef ABORT
#define ABORTS(id) :: d_step { tx[id].state == RUNNING -> tx[id].state = ABORTED; end(id) }
#else
#define ABORTS(id)
#endif
#ifdef TRIM
#define TRIMS(id) :: d_step { tx[id].state == COMMITTED && !(trimmedRows & BIT(id)) -> trim(id) }
#else
#define TRIMS(id)
#endif
#ifdef BUS
/* An announcement may be lost, late, repeated, out of order: any committed change, at any time. */
#define BUS_TELLS(id) \
  :: d_step { up && tx[id].state == COMMITTED -> \
    place = tx[id].version; invalidate(place); recall(place); place = 0 }
#else
#define BUS_TELLS(id)
#endif
#ifdef SHARED
#define SHARED_SHOWS(n) \
  :: d_step { up && reading == IDLE && made[n].provenAt -> \
    reading = FROM_SHARED; got = n; gotPlace = made[n].provenAt }
#else
#define SHARED_SHOWS(n)
#endif

#if WRITES == 3
#define IF_3(text) text
#define LOST_FROM_3 (tx[3].state != COMMITTED)
#else
#define IF_3(text)
#define LOST_FROM_3 1
#endif
#define LOST_FROM_2 (tx[2].state != COMMITTED && LOST_FROM_3)

init {
  do
  :: d_step { oldest != top || before != top || age < BOUND || (poll != IDLE && pollAge < BOUND) -> tick() }

  /* Transactions: of other servers, or of writers that die once they have committed. */
  :: d_step { nextXid <= WRITES -> tx[nextXid].state = RUNNING; nextXid++ }
  TRANSACTION(1)
  TRANSACTION(2)
  IF_3(TRANSACTION(3))
#ifdef CRASH
  :: d_step { nextXid > 1 && tx[1].state != COMMITTED && LOST_FROM_2 -> crash(1) }
  :: d_step { nextXid > 2 && LOST_FROM_2 -> crash(2) }
  IF_3(:: d_step { nextXid > 3 && LOST_FROM_3 -> crash(3) })
#endif

  /* The follower. An answer that never comes: the next poll asks from the same snapshot on. */
#ifdef POLL_SPLIT
  :: d_step { poll == IDLE -> poll = SENT }
  :: d_step { poll == SENT -> carryOutPoll() }
#else
  :: d_step { poll == IDLE -> carryOutPoll() }
#endif
  :: d_step { poll == ANSWERED -> applyPoll(0) }
  :: d_step { poll != IDLE -> endPoll() }

  /* The copy in the process: served, evicted. */
  :: d_step { up && VALID && copy && reading == IDLE -> check(copy) }
  :: d_step { copy -> copy = 0 }

#ifdef ASK
  :: d_step { up && reading == IDLE -> reading = FROM_DATABASE; got = VERSION(top) }
  :: d_step { reading == FROM_DATABASE -> takeAnswer() }
#endif
#ifdef OWN
  :: d_step { up && !writing && nextXid <= WRITES ->
    writing = nextXid; tx[nextXid].state = RUNNING; nextXid++ }
  :: d_step { writing && tx[writing].state == COMMITTED -> takeReceipt() }
  /* its outcome is unknown, or it failed */
  :: d_step { writing -> invalidate(ANY); endWrite() }
#endif
#ifdef RESTART
  :: d_step { up -> restart() }
#endif
#ifdef TIMER
  :: d_step { armed && age >= BOUND -> armed = 0 }
#endif

#ifdef SHARED
  SHARED_SHOWS(VERSIONS)
  :: d_step { reading == FROM_SHARED -> judge() }
  :: d_step { otherPlace && !IS_DELETE(VERSION(top)) -> fillByOther() }
  :: d_step { pollByOther() }
#ifdef ROLL
  :: d_step { poll == ANSWERED && pollChanges && !pollGap -> applyPoll(1) }
  :: d_step { up && poll == IDLE -> roll(limit) }
#endif
#endif
  od
}
