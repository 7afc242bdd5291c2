/**
 * One command at a time (RFC 9051 §5.5): the states within authenticated and within selected, which are the same. What a command
 * becomes of is told by its outcome.
 */
import { assertEvent } from 'xstate';
import type { Working } from './command-states.ts';
import * as replies from './replies.ts';
import { imap } from './vocabulary.ts';

/** @param own  the state that they are in */
export const oneCommand = <Own extends 'authenticated' | 'selected'>(own: Own) =>
  ({
    ready: imap.createStateConfig({
      tags: 'ready',
      on: {
        IDLE: 'idling',
        APPEND: 'appending',
        COMPRESS: [
          {
            guard: { type: 'isOtherThanDeflate', params: ({ event }) => event },
            actions: { type: 'say', params: ({ event }) => replies.noSuchCompression(event.tag) },
          },
          {
            guard: 'isCompressed',
            actions: { type: 'say', params: ({ event }) => replies.compressedAlready(event.tag) },
          },
          {
            target: 'compressing',
            actions: [{ type: 'say', params: ({ event }) => replies.compressing(event.tag) }, 'startCompression'],
          },
        ],
        '*': { guard: own === 'selected' ? 'isForSelected' : 'isForAuthenticated', target: 'working' },
      },
    }),
    compressing: imap.createStateConfig({
      // RFC 4978 §3: the change is the driver's
      on: { compressed: { target: 'ready', actions: 'compress' } },
    }),
    working: imap.createStateConfig({
      invoke: {
        src: 'perform',
        // Cast: the guard that led here lets no other through.
        input: ({ context, event }) => ({ session: context.session, command: event as Working }),
        onDone: [
          {
            guard: { type: 'becomesSelected', params: ({ event }) => event.output },
            target: '#imap.selected',
            actions: { type: 'say', params: ({ event }) => event.output.response },
          },
          {
            guard: { type: 'becomesAuthenticated', params: ({ event }) => event.output },
            target: '#imap.authenticated',
            actions: { type: 'say', params: ({ event }) => event.output.response },
          },
          { target: 'ready', actions: { type: 'say', params: ({ event }) => event.output.response } },
        ],
        onError: { target: '#imap.dismissed', actions: { type: 'say', params: replies.broken } },
      },
    }),
    idling: imap.createStateConfig({
      // RFC 9051 §6.3.13
      entry: [
        {
          type: 'keepTag',
          params: ({ event }) => {
            assertEvent(event, 'IDLE');
            return event;
          },
        },
        { type: 'say', params: replies.idling },
        'expectDone',
      ],
      invoke: { id: 'watch', src: 'watch', input: ({ context }) => ({ session: context.session }) },
      initial: 'watching',
      states: {
        watching: {
          tags: 'ready',
          on: {
            DONE: { target: 'ending', actions: { type: 'beIdleUntil', params: replies.idleDone } },
            malformed: {
              target: 'ending',
              actions: { type: 'beIdleUntil', params: ({ event }) => replies.idleBroken(event.reason) },
            },
          },
        },
        ending: { entry: 'finishIdle' },
      },
      on: {
        'idle.told': { actions: { type: 'say', params: ({ event }) => replies.together(...event.responses) } },
        'idle.ended': {
          target: 'ready',
          actions: { type: 'say', params: ({ context }) => replies.tagged(context.tag, context.idleEnding!) },
        },
        'idle.broke': { target: '#imap.dismissed', actions: { type: 'say', params: replies.broken } },
      },
    }),
    appending: imap.createStateConfig({
      // RFC 9051 §6.3.12, and RFC 3502 for more than one message
      entry: {
        type: 'keepTag',
        params: ({ event }) => {
          assertEvent(event, 'APPEND');
          return event;
        },
      },
      exit: ['abandonAppend', 'forgetAppend'],
      initial: 'beginning',
      states: {
        beginning: {
          entry: {
            type: 'announce',
            params: ({ event }) => {
              assertEvent(event, 'APPEND');
              return event;
            },
          },
          invoke: {
            src: 'beginAppend',
            input: ({ context, event }) => {
              assertEvent(event, 'APPEND');
              return { session: context.session, command: event };
            },
            onDone: { target: 'accepted', actions: { type: 'keepAppend', params: ({ event }) => event.output } },
            onError: { target: 'ending', actions: 'refuseAppend' },
          },
        },
        accepting: {
          entry: {
            type: 'announce',
            params: ({ event }) => {
              assertEvent(event, 'append-more');
              return event;
            },
          },
          invoke: {
            src: 'acceptMessage',
            input: ({ context, event }) => {
              assertEvent(event, 'append-more');
              return { session: context.session, appending: context.append.appending!, message: event };
            },
            onDone: { target: 'accepted', actions: { type: 'keepAppend', params: ({ event }) => event.output } },
            onError: { target: 'ending', actions: 'refuseAppend' },
          },
        },
        accepted: {
          always: [
            { guard: 'isRefusedAlready', target: 'ending' },
            { guard: 'isAwaiting', target: 'receiving', actions: { type: 'say', params: replies.goOn } },
            { target: 'receiving' },
          ],
        },
        receiving: {
          entry: 'expectBody',
          on: { content: 'taking' },
        },
        taking: {
          invoke: {
            src: 'takeMessage',
            input: ({ context, event }) => {
              assertEvent(event, 'content');
              return { session: context.session, appending: context.append.appending!, content: event.content };
            },
            onDone: { target: 'between', actions: { type: 'keepAppend', params: ({ event }) => event.output } },
            onError: { target: 'between', actions: 'refuseAppend' },
          },
        },
        between: {
          tags: 'ready',
          on: {
            'append-more': [{ guard: 'isRefusedAlready', target: 'ending' }, { target: 'accepting' }],
            'append-end': 'ending',
            malformed: {
              target: `#imap.${own}`,
              actions: { type: 'say', params: ({ context, event }) => replies.malformed(context.tag, event.reason) },
            },
          },
        },
        ending: {
          invoke: {
            src: 'endAppend',
            input: ({ context }) => ({ session: context.session, tag: context.tag, append: context.append }),
            onDone: {
              target: `#imap.${own}`,
              actions: { type: 'say', params: ({ event }) => event.output.response },
            },
            onError: { target: '#imap.dismissed', actions: { type: 'say', params: replies.broken } },
          },
        },
      },
    }),
  }) as const;
