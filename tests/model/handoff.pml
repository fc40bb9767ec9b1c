/* SPDX-License-Identifier: ISC */
/*
 * The hand-off protocol: engines, workers, mailboxes, receipts; ring.pml has
 * those that are no messages.  run.py beside this file checks it, and that each
 * property fails when the protocol is broken on purpose.
 *
 * What happens here: NC connections wait in the accept queue.  An engine
 * accepts one only if a worker has room, keeps a duplicate, and sends the
 * descriptor to the worker's mailbox.  The library says HELLO to an engine at
 * its first datagram, gives the connection to the application, and sends TAKEN
 * when the application comes back; or MISSING when the kernel dropped the
 * descriptor.  On TAKEN the engine closes its duplicate; on MISSING, and at a
 * worker's death if nobody touched the connection, it sends it again.  A
 * worker without HELLO has one hand-off in flight.
 *
 * Faults come at any step and in any order: DEATHS workers are killed (with
 * LEAVE they may also leave politely, which counts as a death) and one is
 * started at the first death; TRUNCATIONS descriptors are dropped; and with
 * CHANGE one engine is replaced or killed.
 *
 * Properties (PROPERTY=n checks that one alone, 0 all):
 *  1 no connection is given to an application while another one has it, or
 *    after another one touched it;
 *  2 none is forgotten: in the end each was touched by an application
 *    (SERVED), or closed by the death of the application that had it after
 *    its protection ended (APP_DIED), or used up its budget (REFUSED), or fell
 *    to a killed engine: not yet sent, or to be sent again (AT_KILL), or sent
 *    and lost to a second fault, with nobody left to send it again (ORPHANED);
 *    PLAIN alone adds what a worker without HELLO lost (UNPROTECTED);
 *  3 nothing gets stuck: no invalid end state; the monitor waits for the end
 *    of the engine that it replaced;
 *  4 in the end no engine has a duplicate.
 *
 * Every step uses up something that is bounded, so there are no cycles (run.py
 * has pan look for one) and "in the end" is the state in which only the judge
 * can move.  Faults may stop before they are used up, so a state that only
 * another fault would leave is such an end.  One worker always lives.
 *
 * Variants: PLAIN, worker 0 never says HELLO.  SLOW, an engine may judge a
 * worker plain that has not come round to its HELLO.  AT_OPEN, HELLO to the
 * current engine at the worker's start, too.  REMEMBER, a mailbox that said
 * HELLO to any engine is never judged plain (it is, once it has read without
 * HELLO; but reception and HELLO are one step here).  CHILD, the application comes
 * back without touching a connection, and a child that outlives it does that
 * later; CHILD_EARLY, the child has it before the receipt.  TIMER, the receipt
 * timeout.  LAZY, a HELLO may lie unread at the engine (else reading it at
 * once loses nothing, since a smaller room is among what engines do anyway).
 * NEVER=outcome, that outcome is a failure.  ENDLESS, truncations never end.
 *
 * Left out: how a receipt connection is made, at a rendezvous or with a link
 * that a datagram brings; time (a timer may fire whenever its condition holds;
 * without SLOW a HELLO is never late), the adaptive window (any size up to
 * WINDOW is covered, since nothing forces an engine to send), batches, several
 * listeners, lent sockets, the rest after MISSING, a drain that is cut short,
 * a second change of engines, clients that go away, engines without free
 * descriptors, two processes on one mailbox.  The application always comes
 * back or dies.  The proof of "untouched" is exact.  A sequence number is the
 * connection's number, since one is under way at most once.  Receipts on one
 * connection may overtake each other, but not the HELLO or the hang-up.
 * Reception and HELLO are one step: to the engine, a worker that dies between
 * them died before both.
 */

#define NC 3		/* connections */
#define NI 3		/* workers: two, and one that is started after a death */
#define NE 2		/* engines, old and new */
#define WINDOW 2
#ifndef MAILBOX
#define MAILBOX 2	/* the kernel's queue, shared by both engines */
#endif
#ifndef DEATHS
#define DEATHS 2
#endif
#ifndef TRUNCATIONS
#define TRUNCATIONS 1
#endif
#define BUDGET 2
#ifndef CHANGE
#define CHANGE 1	/* of engines: 0 none, 1 a replacement, 2 a kill */
#endif
#define NONE 255
#define CHILD_HAS 254

#ifndef PROPERTY
#define PROPERTY 0
#endif
#define HOLDS(n, what) \
	if :: (PROPERTY == 0 || PROPERTY == n) -> assert(what) :: else fi

/* Engine's side of a connection: in the accept queue; held, to be sent; sent
 * and not receipted; its duplicate closed. */
mtype:place = { BACKLOG, HELD, SENT, GONE }
/* Worker's side: nothing; received; received without its descriptor; with the
 * application. */
mtype:phase = { IDLE, GOT, LOST, APP }
mtype:life = { UNBORN, ALIVE, LEAVING, DEAD }
mtype:mode = { OFF, SERVING, DRAINING, EXITED, KILLED }
/* A receipt connection, seen by the engine; ASTRAY reached another engine. */
mtype:link = { NO_LINK, HELLO, KNOWN, ASTRAY }
mtype:word = { SILENCE, TAKEN, MISSING }
mtype:fate = { OPEN, SERVED, APP_DIED, REFUSED, AT_KILL, ORPHANED, UNPROTECTED }

/* The kernel's queues; a receipt under way is word[], a HELLO is link[]. */
chan mailbox[NI] = [MAILBOX] of { byte, byte };	/* epoch, connection */

mtype:place place[NC] = BACKLOG;
mtype:word word[NC] = SILENCE;
mtype:fate fate[NC] = OPEN;	/* what became of it; ours, nobody's knowledge */
byte owner[NC] = NONE;		/* engine that accepted it */
byte to[NC] = NONE;		/* worker it was sent to */
byte holder[NC] = NONE;		/* application that has it */
byte strikes[NC];		/* deaths as the oldest unreceipted one */
bool touched[NC];
bool copy[NC];			/* a descriptor on the worker's side */
bool behind[NC];		/* an older one is unreceipted, same worker */
byte backlog = 0;		/* the next one to accept */

mtype:mode mode[NE] = OFF;
mtype:link link[6] = NO_LINK;	/* NE * NI */
mtype:life life[NI] = UNBORN;
mtype:phase phase[NI] = IDLE;
byte epoch[NI] = NONE;		/* of what the worker has in hand */
byte hand[NI] = NONE;
bool used;			/* something was sent */
bool verdict[NI];		/* plain; kept for all engines */
bool spoke[NI];			/* said HELLO to some engine */
byte faults_left = DEATHS;
byte truncations_left = TRUNCATIONS;

hidden byte i, j, k;

#define LINK(e, w) link[(e) * NI + (w)]
#define running(e) (mode[e] == SERVING || mode[e] == DRAINING)
#define reads(w) (life[w] == ALIVE || life[w] == LEAVING)
#define sent(e, w, c) (place[c] == SENT && owner[c] == e && to[c] == w)
#define unreceipted(e, w) (sent(e, w, 0) + sent(e, w, 1) + sent(e, w, 2))
#define held(e, c) (place[c] == HELD && owner[c] == e)
#define holds_any(e) (held(e, 0) || held(e, 1) || held(e, 2))
#define has(e, c) (owner[c] == e && (place[c] == HELD || place[c] == SENT))
#define has_any(e) (has(e, 0) || has(e, 1) || has(e, 2))
#define limit(e, w) (LINK(e, w) == KNOWN -> WINDOW : 1)
#define room(e, w) (life[w] == ALIVE && nfull(mailbox[w]) && \
	(verdict[w] || unreceipted(e, w) < limit(e, w)))
#define has_word(e, w, c) (sent(e, w, c) && word[c] != SILENCE)
#define has_words(e, w) \
	(has_word(e, w, 0) || has_word(e, w, 1) || has_word(e, w, 2))

#ifdef PLAIN
#define plain(w) ((w) == 0)
#else
#define plain(w) false
#endif
#ifdef SLOW
#ifdef REMEMBER
#define may_seem_plain(w) (plain(w) || !spoke[w])
#else
#define may_seem_plain(w) true
#endif
#else
#define may_seem_plain(w) plain(w)
#endif

#ifdef TIMER
#define timer true
#else
#define timer false
#endif

/* What makes an engine believe that a worker is dead: the hang-up once what
 * was said before it is read, or, without a HELLO, a mailbox that refuses. */
#ifdef MUTATE_HANGUP_FIRST
#define all_read(e, w) (LINK(e, w) != HELLO)
#elif defined(MUTATE_RENDEZVOUS_UNREAD)
#define all_read(e, w) (LINK(e, w) == HELLO || !has_words(e, w))
#else
#define all_read(e, w) (!has_words(e, w) && LINK(e, w) != HELLO)
#endif
#ifdef MUTATE_UNLINKED_IS_DEAD
#define seems_dead(e, w) (life[w] == DEAD || \
	life[w] == LEAVING && LINK(e, w) != KNOWN)
#else
#define seems_dead(e, w) (life[w] == DEAD)
#endif

/* The worker's side loses a descriptor before the application has it. */
inline destroy(c)
{
	copy[c] = false;
	if
	:: place[c] == GONE && fate[c] == OPEN && mode[owner[c]] == KILLED ->
		fate[c] = ORPHANED
	:: place[c] == GONE && fate[c] == OPEN && mode[owner[c]] != KILLED &&
	    plain(to[c]) ->
		fate[c] = UNPROTECTED
	:: else
	fi
}

/* Forgets what nobody asks for any more. */
inline tidy(c)
{
	if
	:: place[c] == GONE && !copy[c] ->
		owner[c] = NONE;
		to[c] = NONE;
		strikes[c] = 0
	:: else
	fi
}

/* The engine closes its duplicate. */
inline close_duplicate(c)
{
	place[c] = GONE;
	behind[c] = false;
	word[c] = SILENCE
}

/* A connection is no longer unreceipted: who came after it is the oldest. */
inline settle(e, w, c)
{
	behind[c] = false;
	word[c] = SILENCE;
	for (j : 0 .. NC - 1) {
		if
		:: sent(e, w, j) -> behind[j] = false
		:: else
		fi
	}
	j = 0
}

/* The engine knows that the worker it sent this to is dead. */
inline give_back(e, w, c)
{
	if
#ifdef MUTATE_REDELIVER_TOUCHED
	:: false
#else
	:: touched[c] -> close_duplicate(c); tidy(c)	/* counted */
#endif
	:: else ->
#ifdef MUTATE_NO_REDELIVERY
		close_duplicate(c)
#else
		strikes[c] = strikes[c] + (behind[c] -> 0 : 1);
		close_duplicate(c);
		if
		:: strikes[c] == BUDGET ->
			fate[c] = REFUSED;
			tidy(c)
		:: else ->
			place[c] = HELD;
			to[c] = NONE;
			if
			:: fate[c] == APP_DIED -> fate[c] = OPEN
			:: else
			fi
		fi
#endif
	fi
}

inline worker_gone(e, w)
{
	for (i : 0 .. NC - 1) {
		if
		:: sent(e, w, i) -> give_back(e, w, i)
		:: else
		fi
	}
	if
	:: life[w] == DEAD -> LINK(e, w) = NO_LINK
	:: else
	fi
}

/* The engine closes its duplicates of what this worker has. */
inline unprotect(e, w)
{
	for (i : 0 .. NC - 1) {
		if
		:: sent(e, w, i) ->
			close_duplicate(i);
			if
			:: plain(w) && !copy[i] && fate[i] == OPEN ->
				fate[i] = UNPROTECTED
			:: else
			fi;
			tidy(i)
		:: else
		fi
	}
	i = 0
}

/* Workers 0 and 1 are alike until one of them is used: 0 is used first. */
#ifdef PLAIN
#define first_of_alikes(w) true
#else
#define first_of_alikes(w) ((w) != 1 || used || life[0] != ALIVE)
#endif

#define SEND(c, w) \
	:: d_step { running(e) && held(e, c) && room(e, w) && \
	    first_of_alikes(w) -> \
		used = true; \
		behind[c] = unreceipted(e, w) > 0; \
		mailbox[w]!e, c; \
		to[c] = w; \
		copy[c] = true; \
		place[c] = (verdict[w] -> GONE : SENT); \
		behind[c] = behind[c] && place[c] == SENT }

#ifdef MUTATE_KEEP_DUPLICATE
#define ON_TAKEN(c) settle(e, to[c], c)
#else
#define ON_TAKEN(c) settle(e, to[c], c); place[c] = GONE; tidy(c)
#endif
#ifdef MUTATE_IGNORE_MISSING
#define ON_MISSING(c) settle(e, to[c], c)
#else
#define ON_MISSING(c) settle(e, to[c], c); place[c] = HELD; to[c] = NONE
#endif

#define RECEIPT(c) \
	:: d_step { running(e) && place[c] == SENT && owner[c] == e && \
	    word[c] == TAKEN && LINK(e, to[c]) == KNOWN -> ON_TAKEN(c) } \
	:: d_step { running(e) && place[c] == SENT && owner[c] == e && \
	    word[c] == MISSING && LINK(e, to[c]) == KNOWN -> ON_MISSING(c) }

#define WORKER_SEEN(w) \
	:: d_step { running(e) && LINK(e, w) == HELLO -> \
		LINK(e, w) = KNOWN; \
		verdict[w] = false } \
	:: d_step { running(e) && unreceipted(e, w) > 0 && \
	    seems_dead(e, w) && all_read(e, w) -> worker_gone(e, w) } \
	:: d_step { running(e) && unreceipted(e, w) > 0 && reads(w) && \
	    may_seem_plain(w) && LINK(e, w) == NO_LINK -> \
		verdict[w] = true; \
		unprotect(e, w) } \
	:: d_step { timer && running(e) && unreceipted(e, w) > 0 && \
	    reads(w) && LINK(e, w) == KNOWN && empty(mailbox[w]) -> \
		unprotect(e, w) }

inline unlink_all(e)
{
	LINK(e, 0) = NO_LINK;
	LINK(e, 1) = NO_LINK;
	LINK(e, 2) = NO_LINK
}

proctype engine(byte e)
{
end:	do
	:: d_step { mode[e] == SERVING && backlog < NC && !holds_any(e) &&
	    (room(e, 0) || room(e, 1) || room(e, 2)) ->
		owner[backlog] = e;
		place[backlog] = HELD;
		backlog++ }
	SEND(0, 0) SEND(0, 1) SEND(0, 2)
	SEND(1, 0) SEND(1, 1) SEND(1, 2)
	SEND(2, 0) SEND(2, 1) SEND(2, 2)
	RECEIPT(0) RECEIPT(1) RECEIPT(2)
	WORKER_SEEN(0) WORKER_SEEN(1) WORKER_SEEN(2)
	:: d_step { mode[e] == DRAINING && !has_any(e) ->
		mode[e] = EXITED;
		unlink_all(e) }
	od
}

/* A receipt for what is in hand; nothing if the engine is gone. */
inline send_word(w, what)
{
	k = hand[w];
	if
	:: running(epoch[w]) && (LINK(epoch[w], w) == HELLO ||
	    LINK(epoch[w], w) == KNOWN) && sent(epoch[w], w, k) ->
		word[k] = what
	:: else
	fi
}

#ifdef CHILD
#define LATE true
#else
#define LATE false
#endif
#define needs_hello(w) (!plain(w) && listens(epoch[w]) && \
	LINK(epoch[w], w) == NO_LINK)

/* The application touches what it, or a child of it, has. */
#define TOUCH(c, who) \
	:: d_step { holder[c] == who && !touched[c] -> \
		touched[c] = true; \
		fate[c] = SERVED; \
		if \
		:: hand[0] != c && hand[1] != c && hand[2] != c -> \
			copy[c] = false; \
			holder[c] = NONE; \
			tidy(c) \
		:: else \
		fi }

/* Says HELLO to the engine of an epoch, if it is there. */
#ifdef MUTATE_DRAIN_DEAF
#define listens(e) (mode[e] == SERVING)
#else
#define listens(e) running(e)
#endif
inline meet(e, w)
{
#ifdef LAZY
	LINK(e, w) = HELLO
#else
	LINK(e, w) = KNOWN;
	verdict[w] = false
#endif
}

inline say_hello(e, w)
{
	spoke[w] = true;
#ifdef MUTATE_SHARED_RENDEZVOUS
	if
	:: e == 0 && mode[1] == SERVING ->
		LINK(0, w) = ASTRAY;
		if
		:: LINK(1, w) == NO_LINK -> meet(1, w)
		:: else
		fi
	:: else -> meet(e, w)
	fi
#else
	meet(e, w)
#endif
}

/* Another worker starts at the first death.  At once: one that the engine
 * does not use yet is as good as none. */
inline bury(w)
{
	life[w] = DEAD;
	if
	:: life[2] == UNBORN ->
		life[2] = ALIVE;
#ifdef AT_OPEN
		if
		:: mode[1] == SERVING -> say_hello(1, 2)
		:: mode[1] != SERVING -> say_hello(0, 2)
		fi
#endif
	:: else
	fi;
	verdict[w] = false;
	spoke[w] = false;
	if
	:: unreceipted(0, w) == 0 -> LINK(0, w) = NO_LINK
	:: else
	fi;
	if
	:: unreceipted(1, w) == 0 -> LINK(1, w) = NO_LINK
	:: else
	fi
}

#define receives(w) (reads(w) && phase[w] == IDLE && nempty(mailbox[w]))

/* The next datagram, and the HELLO if its epoch is new.  (A worker that dies
 * between the two is to the engine one that died before both.) */
inline receive(w)
{
	mailbox[w]?epoch[w], hand[w];
	if
	:: needs_hello(w) -> say_hello(epoch[w], w)
	:: else
	fi;
#ifdef MUTATE_RECEIPT_EARLY
	send_word(w, TAKEN)
#endif
}

/* What was in hand goes out of it; no trace of it stays. */
inline put_down(w)
{
	phase[w] = IDLE;
	hand[w] = NONE;
	epoch[w] = NONE
}

proctype worker(byte w)
{
end:	do
	:: d_step { receives(w) -> receive(w); phase[w] = GOT }
	:: d_step { receives(w) && truncations_left > 0 ->
#ifndef ENDLESS
		truncations_left--;
#endif
		receive(w);
		phase[w] = LOST;
		destroy(hand[w]) }
	:: d_step { reads(w) && phase[w] == LOST ->
		send_word(w, MISSING);
		put_down(w) }
	:: d_step { reads(w) && phase[w] == GOT ->
		k = hand[w];
		HOLDS(1, holder[k] == NONE && !touched[k]);
		holder[k] = w;
		phase[w] = APP }
	TOUCH(0, w) TOUCH(1, w) TOUCH(2, w)
	:: d_step { reads(w) && phase[w] == APP &&
	    (LATE || touched[hand[w]]) -> send_word(w, TAKEN);
		if
		:: touched[k] ->
			copy[k] = false;
			holder[k] = NONE;
			tidy(k)
		:: else -> holder[k] = CHILD_HAS
		fi;
		put_down(w) }
#ifdef CHILD_EARLY
	:: d_step { reads(w) && phase[w] == APP && holder[hand[w]] == w &&
	    !touched[hand[w]] -> holder[hand[w]] = CHILD_HAS }
#endif
	:: d_step { life[w] == LEAVING && phase[w] == IDLE &&
	    empty(mailbox[w]) && holder[0] != w && holder[1] != w &&
	    holder[2] != w -> bury(w) }
	od
}

/* SIGKILL: the mailbox and all descriptors are closed. */
inline kill_worker(w)
{
	bury(w);
	do
	:: len(mailbox[w]) > 0 -> mailbox[w]?j, k; destroy(k)
	:: len(mailbox[w]) == 0 -> break
	od;
	for (i : 0 .. NC - 1) {
		if
		:: holder[i] == w ->
			copy[i] = false;
			holder[i] = NONE;
			if
			:: fate[i] == OPEN &&
			    (hand[w] != i || place[i] != SENT) ->
				fate[i] = APP_DIED
			:: else
			fi;
			tidy(i)
		:: else
		fi
	}
	if
	:: phase[w] == GOT -> k = hand[w]; destroy(k)
	:: else
	fi;
	put_down(w)
}

#ifdef CHILD
proctype child()
{
end:	do
	TOUCH(0, CHILD_HAS) TOUCH(1, CHILD_HAS) TOUCH(2, CHILD_HAS)
	od
}
#endif

#ifdef LEAVE
#define leaves(w) (faults_left > 0 && life[w] == ALIVE)
#else
#define leaves(w) false
#endif
#define FAULT(w) \
	:: d_step { faults_left > 0 && reads(w) -> \
		faults_left--; kill_worker(w) } \
	:: d_step { leaves(w) -> faults_left--; life[w] = LEAVING }

/* A worker that is not idle can move: to look for an end makes sense only
 * when all are, and when the engine was changed. */
#define idle(w) (!reads(w) || phase[w] == IDLE && empty(mailbox[w]))

proctype faults()
{
	do
	FAULT(0) FAULT(1) FAULT(2)
	:: d_step { (CHANGE == 0 || mode[1] != OFF) &&
	    idle(0) && idle(1) && idle(2) ->
		faults_left = 0;
		truncations_left = 0 };
		break
	od
}

inline kill_engine(e)
{
	mode[e] = KILLED;
	unlink_all(e);
	for (i : 0 .. NC - 1) {
		if
		:: has(e, i) ->
			if
			:: !copy[i] && fate[i] == OPEN -> fate[i] = AT_KILL
			:: else
			fi;
			close_duplicate(i);
			tidy(i)
		:: else
		fi
	}
	i = 0
}

inline exit_at_once(e)
{
	for (i : 0 .. NC - 1) {
		if
		:: has(e, i) -> close_duplicate(i)
		:: else
		fi
	}
	unlink_all(e);
	mode[e] = EXITED
}

proctype monitor()
{
	if
#if CHANGE == 0
	:: true
#elif CHANGE == 1
	:: true ->
		mode[1] = SERVING;
#ifdef MUTATE_OLD_ENGINE_FORGETS
		d_step { exit_at_once(0) };
#else
		mode[0] = DRAINING;
#endif
		mode[0] == EXITED
#else
	:: d_step { true -> kill_engine(0) };
		mode[1] = SERVING
#endif
	fi
}

/* Moves when nobody else can. */
#define LIVES (life[0] == ALIVE || life[1] == ALIVE || life[2] == ALIVE)

proctype judge()
{
	timeout;
	d_step {
		assert(LIVES);
		for (i : 0 .. NC - 1) {
#ifdef NEVER
			HOLDS(2, fate[i] != NEVER);
#endif
			HOLDS(2, fate[i] != OPEN);
			HOLDS(4, place[i] != HELD && place[i] != SENT)
		}
		i = 0
	}
}

init
{
	atomic {
		mode[0] = SERVING;
		life[0] = ALIVE;
		life[1] = ALIVE;
#ifdef AT_OPEN
		d_step { say_hello(0, 0); say_hello(0, 1) };
#endif
		run engine(0);
		run engine(1);
		run worker(0);
		run worker(1);
		run worker(2);
		run faults();
#ifdef CHILD
		run child();
#endif
		run monitor();
		run judge()
	}
}
