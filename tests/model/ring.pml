/* SPDX-License-Identifier: ISC */
/*
 * The receipt ring: memory that an engine shares with a worker.  run.py in
 * this directory checks it, as it does handoff.pml, which has the rest of the
 * protocol: here receipts are given, and nothing else happens.
 *
 * What happens here: engines send NC hand-offs to one worker, at most WINDOW of
 * them without a receipt at a time.  The worker gives a receipt for each, in
 * the ring or by a message.  An engine begins and stops to look at its ring at
 * most CHANGES times, and begins and stops to be lazy about it LAZY times: then
 * it looks when its timer expires, and the worker shuts each connection down
 * for writing before it writes the receipt.  With TIMER=0 that timer never
 * expires, so whatever still happens does not wait for it.
 *
 * Memory: what is stored is seen by the other side later, at any time, unless
 * a barrier waits for it: count[] is what the worker has stored, seen_count[]
 * what an engine can load.  So it is with watched and lazy, the other way
 * round.
 * Sequence numbers and read[] are seen at once: a number is loaded only by who
 * has seen the count that follows it (release, acquire), and a late read[]
 * means no more than a message, which the worker may always send.  Counts wrap
 * at 256, not 2^32, and do so here.
 *
 * Faults come at any step: the worker is killed (DEATHS), and an engine is
 * replaced or killed (CHANGE).  What a dead process has stored is seen before
 * its sockets hang up.  Where it has not read the offer the hang-up is a
 * reset, which the kernel reports before the messages that are there.
 *
 * Properties (PROPERTY=n checks that one alone, 0 all):
 *  3 nothing gets stuck: no invalid end state; a replaced engine ends;
 *  6 at a death no connection whose receipt was given goes to another worker;
 *  7 no receipt is lost: in the end no engine waits for one;
 *  8 no engine takes for a receipt what was not given;
 *  9 with TIMER=0, of one engine: in the end each connection whose receipt was
 *    given is shut down or closed by the engine, and every hand-off was sent:
 *    neither an end of file nor a connection without room waits for the timer.
 *
 * Left out: a worker that writes nonsense; receipts of several in a row; that
 * the engine looks at other times as well, which it need not; that a connection
 * which was shut down counts as touched.  The worker may overlook the offer.
 */

#ifndef NC
#define NC 3		/* hand-offs */
#endif
#define NE 2		/* engines, old and new */
#define PLACES 2
#define WRAP 256
#define FIRST 255	/* so that the next count is 0 */
#ifndef CHANGES
#define CHANGES 3	/* of watched: on, off, on */
#endif
#ifndef LAZY
#define LAZY 0		/* of lazy: on, off, on */
#endif
#ifndef TIMER
#define TIMER 1
#endif
#ifndef WINDOW
#define WINDOW NC
#endif
#ifndef DEATHS
#define DEATHS 1
#endif
#ifndef CHANGE
#define CHANGE 1	/* of engines: 0 none, 1 a replacement, 2 a kill */
#endif
#define NONE 255

#ifndef PROPERTY
#define PROPERTY 0
#endif
#define HOLDS(n, what) \
	if :: (PROPERTY == 0 || PROPERTY == n) -> assert(what) :: else fi

mtype:mode = { OFF, SERVING, DRAINING, EXITED, KILLED }
/* The engine's answer to HELLO: not yet; not read; in use. */
mtype:offer = { NO_OFFER, UNREAD, MAPPED }
/* Engine's side of a hand-off: not sent; its duplicate is kept; its receipt is
 * there; given back at a death. */
mtype:state = { WAITING, SENT, TAKEN, RETURNED }

mtype:mode mode[NE] = OFF;
mtype:offer offer[NE] = NO_OFFER;
mtype:state state[NC] = WAITING;
byte owner[NC] = NONE;
byte kept[NE];			/* how many duplicates */
bool given[NC];			/* ours, nobody's knowledge */
bool shut[NC];			/* for writing */
byte next = 0;			/* to be sent */
bool alive = true;		/* the worker */
bool reset[NE];
byte deaths_left = DEATHS;
byte changes_left[NE] = CHANGES;
byte lazy_left[NE] = LAZY;

chan mailbox = [NC] of { byte };
chan said[NE] = [NC] of { byte };	/* receipts as messages */

bool watched[NE];		/* the engine's */
bool seen_watched[NE];
bool lazy[NE];
bool seen_lazy[NE];
byte read[NE] = FIRST;
byte count[NE] = FIRST;		/* the worker's */
byte seen_count[NE] = FIRST;
byte place[NE * PLACES];	/* zeros at first, like the memory */

hidden byte i;

#define running(e) (mode[e] == SERVING || mode[e] == DRAINING)
#define waits(e, c) (state[c] == SENT && owner[c] == e)
#define PLACE(e, n) place[(e) * PLACES + (n) % PLACES]
#define has_news(e) (seen_count[e] != read[e])

#ifdef MUTATE_WORKER_BARRIER
#define worker_barrier(e) true
#else
#define worker_barrier(e) (seen_count[e] == count[e])
#endif
#ifdef MUTATE_ENGINE_BARRIER
#define engine_barrier(e) true
#else
#define engine_barrier(e) (seen_watched[e] == watched[e])
#endif
#ifdef MUTATE_LAZY_BARRIER
#define lazy_barrier(e) true
#else
#define lazy_barrier(e) (seen_lazy[e] == lazy[e])
#endif
#ifdef MUTATE_ROOM_WAITS
#define waits_for_room(e) false
#else
#define waits_for_room(e) (mode[e] == SERVING && alive && next < NC && \
	kept[e] == WINDOW)
#endif

#ifdef MUTATE_FULL
#define has_place(e) true
#else
#define has_place(e) ((WRAP + count[e] - read[e]) % WRAP < PLACES)
#endif
#ifdef MUTATE_RESET_IS_THE_END
#define all_read(e) (reset[e] || len(said[e]) == 0)
#else
#define all_read(e) (len(said[e]) == 0)
#endif

inline on_receipt(e, c)
{
	HOLDS(8, !waits(e, c) || given[c]);
	if
	:: waits(e, c) ->
		state[c] = TAKEN;
		kept[e]--
	:: else
	fi
}

/* The engine takes one from the ring. */
inline take(e, c)
{
#ifdef MUTATE_READ_TOO_SOON
	read[e] = (read[e] + 1) % WRAP;
	c = PLACE(e, read[e] + WRAP - 1);
#else
	c = PLACE(e, read[e]);
	read[e] = (read[e] + 1) % WRAP;
#endif
	d_step { on_receipt(e, c); c = 0 }
}

inline look(e, c)
{
	do
	:: has_news(e) -> take(e, c)
	:: else -> break
	od
}

inline stop_watching(e, c)
{
#ifdef MUTATE_LOOK_BEFORE
	look(e, c);
#endif
	watched[e] = false;
	engine_barrier(e);
#if !defined(MUTATE_LOOK_BEFORE) && !defined(MUTATE_NO_LAST_LOOK)
	look(e, c)
#endif
}

inline stop_lazy(e, c)
{
	lazy[e] = false;
	lazy_barrier(e);
#ifndef MUTATE_LAZY_NO_LAST_LOOK
	look(e, c)
#endif
}

/* Nobody is left who could say more. */
inline on_hang_up(e, c)
{
#ifndef MUTATE_NO_LOOK_AT_HANG_UP
	look(e, c);
#endif
	atomic {
		for (i : 0 .. NC - 1) {
			if
			:: waits(e, i) ->
				HOLDS(6, !given[i]);
				state[i] = RETURNED
			:: else
			fi
		}
		i = 0;
		kept[e] = 0
	}
}

/* It has ended: what it knew makes no difference any more. */
inline forget(e)
{
	for (i : 0 .. NC - 1) {
		if
		:: owner[i] == e && state[i] == SENT -> state[i] = RETURNED
		:: else
		fi
	}
	i = 0;
	do
	:: said[e]?_
	:: empty(said[e]) -> break
	od;
	kept[e] = 0;
	changes_left[e] = 0;
	lazy_left[e] = 0;
	watched[e] = false;
	seen_watched[e] = false;
	lazy[e] = false;
	seen_lazy[e] = false;
	read[e] = FIRST;
	count[e] = FIRST;
	seen_count[e] = FIRST;
	PLACE(e, 0) = 0;
	PLACE(e, 1) = 0
}

proctype engine(byte e)
{
	byte c = 0;

	{
		running(e);
end:		do
		:: d_step { mode[e] == SERVING && alive && next < NC &&
		    kept[e] < WINDOW ->
			owner[next] = e;
			state[next] = SENT;
			kept[e]++;
			mailbox!next;
			next++ }
		:: d_step { running(e) && offer[e] == NO_OFFER ->
			offer[e] = UNREAD }
		:: d_step { running(e) && offer[e] != NO_OFFER &&
		    nempty(said[e]) ->
			said[e]?c;
			on_receipt(e, c);
			c = 0 }
		:: atomic { running(e) && offer[e] != NO_OFFER &&
		    changes_left[e] > 0 && !watched[e] ->
			changes_left[e]--;
			watched[e] = true };
			engine_barrier(e)
		:: atomic { running(e) && changes_left[e] > 0 && watched[e] ->
			changes_left[e]-- };
			stop_watching(e, c)
		:: d_step { running(e) && changes_left[e] > 0 ->
			changes_left[e] = 0 }
		:: running(e) && watched[e] && has_news(e) -> take(e, c)
		:: d_step { mode[e] == SERVING && offer[e] != NO_OFFER &&
		    lazy_left[e] > 0 && !lazy[e] ->
			lazy_left[e]--;
			lazy[e] = true }
		:: atomic { running(e) && lazy_left[e] > 0 && lazy[e] ->
			lazy_left[e]-- };
			stop_lazy(e, c)
		:: d_step { running(e) && lazy_left[e] > 0 ->
			lazy_left[e] = 0 }
		:: running(e) && lazy[e] && waits_for_room(e) ->
			stop_lazy(e, c)
#if TIMER
		:: running(e) && lazy[e] && kept[e] > 0 && has_news(e) ->
			take(e, c)
#endif
		:: running(e) && offer[e] != NO_OFFER && kept[e] > 0 &&
		    !alive && seen_count[e] == count[e] && all_read(e) ->
			on_hang_up(e, c)
		:: d_step { mode[e] == DRAINING && kept[e] == 0 ->
			mode[e] = EXITED;
			forget(e) }
		od
	} unless { mode[e] == KILLED }
}

inline send_message(e, c)
{
	d_step {
		if
		:: running(e) -> said[e]!c
		:: else		/* it has hung up */
		fi;
		given[c] = true
	}
}

inline write(e, c)
{
#ifdef MUTATE_COUNT_FIRST
	atomic { count[e] = (count[e] + 1) % WRAP; given[c] = true };
	PLACE(e, count[e] + WRAP - 1) = c
#else
	PLACE(e, count[e]) = c;
	atomic { count[e] = (count[e] + 1) % WRAP; given[c] = true }
#endif
}

/* The engine looks there soon, or will be told. */
inline give_watched(e, c)
{
	write(e, c);
	worker_barrier(e);
	if
#ifdef MUTATE_NO_SECOND_LOOK
	:: true
#else
	:: seen_watched[e]
#endif
#ifdef MUTATE_LAZY_IS_ENOUGH
	:: seen_lazy[e]
#endif
	:: else -> send_message(e, c)
	fi
}

/* The connection has ended: it may be that its engine looks later. */
inline give_lazily(e, c)
{
#ifndef MUTATE_NOT_SHUT
	shut[c] = true;
#endif
	write(e, c);
	worker_barrier(e);
	if
	:: seen_watched[e]
	:: else ->
		if
#ifdef MUTATE_LAZY_NO_SECOND_LOOK
		:: true
#else
		:: seen_lazy[e]
		:: else -> send_message(e, c)
#endif
		fi
	fi
}

/* In the ring, or by a message. */
inline give(e, c)
{
	if
	:: offer[e] == UNREAD -> offer[e] = MAPPED
	:: true
	fi;
	if
	:: offer[e] == MAPPED && seen_watched[e] && has_place(e) ->
		give_watched(e, c)
	:: offer[e] == MAPPED && seen_lazy[e] && has_place(e) ->
		give_lazily(e, c)
	:: true -> send_message(e, c)
	fi
}

proctype worker()
{
	byte c = 0;

	{
		true;
end:		do
		:: mailbox?c ->
			give(owner[c], c);
			c = 0
		od
	} unless { !alive }
}

/* What was stored comes to be seen. */
#define SEEN(e) \
	:: d_step { seen_count[e] != count[e] -> \
		seen_count[e] = (seen_count[e] + 1) % WRAP } \
	:: d_step { seen_watched[e] != watched[e] -> \
		seen_watched[e] = watched[e] } \
	:: d_step { seen_lazy[e] != lazy[e] -> \
		seen_lazy[e] = lazy[e] }

proctype memory()
{
end:	do
	SEEN(0)
	SEEN(1)
	od
}

proctype faults()
{
end:	do
	:: d_step { deaths_left > 0 && alive ->
		deaths_left--;
		alive = false;
		reset[0] = (offer[0] == UNREAD);
		reset[1] = (offer[1] == UNREAD) }
	:: d_step { deaths_left > 0 -> deaths_left = 0 }
	od
}

proctype monitor()
{
	if
#if CHANGE == 0
	:: true
#elif CHANGE == 1
	:: true ->
		mode[1] = SERVING;
		run engine(1);
		mode[0] = DRAINING;
		mode[0] == EXITED
#else
	:: d_step { true ->
		mode[0] = KILLED;
		forget(0) };
		mode[1] = SERVING;
		run engine(1)
#endif
	fi
}

/* Moves when nobody else can. */
proctype judge()
{
	timeout;
	d_step {
		for (i : 0 .. NC - 1) {
#if TIMER
			HOLDS(7, state[i] != SENT || !running(owner[i]));
#else
			HOLDS(9, state[i] != SENT || !running(owner[i]) ||
			    shut[i])
#endif
		}
		i = 0;
#if !TIMER
		HOLDS(9, next == NC || !alive)
#endif
	}
}

init
{
	atomic {
		mode[0] = SERVING;
		run engine(0);
		run worker();
		run memory();
		run faults();
		run monitor();
		run judge()
	}
}
