/**
 * The IMAP session: the figure of RFC 9051 §3, one state for each that it names, and one below for each thing that takes time.
 *
 * It hears decoded commands and says typed responses; what a command does is in commands/, what the mailbox looks like in
 * view.ts. Bytes, order and timeouts belong to actors/connection.ts, which sends the next command only while the tag `ready`
 * shows; what it asks of others is provided by session.ts.
 */
import { assertEvent } from 'xstate';
import type { Response } from '../../protocols/imap/response.ts';
import { capabilities } from './capabilities.ts';
import { contextOf, credentials } from './context.ts';
import { oneCommand } from './one-command.ts';
import * as replies from './replies.ts';
import type { LogIn } from './services.ts';
import { imap } from './vocabulary.ts';

export const imapMachine = imap.createMachine({
  id: 'imap',
  context: ({ input }) => contextOf(input),
  entry: {
    type: 'say',
    params: ({ context }) => replies.greeting(context.constants.product, capabilities(context, false)),
  },
  initial: 'notAuthenticated',
  states: {
    notAuthenticated: {
      // RFC 9051 §3.1
      initial: 'ready',
      states: {
        ready: {
          tags: 'ready',
          on: {
            LOGIN: [
              {
                guard: 'mayNotShowPassword', // and the password is not looked at: RFC 9051 §6.2.3 LOGINDISABLED
                actions: { type: 'say', params: ({ event }) => replies.cleartextRefused(event.tag) },
              },
              { target: 'loggingIn', actions: { type: 'keepTag', params: ({ event }) => event } },
            ],
            AUTHENTICATE: [
              {
                guard: { type: 'isOtherThanPlain', params: ({ event }) => event },
                actions: { type: 'say', params: ({ event }) => replies.noSuchMechanism(event.tag) },
              },
              {
                guard: 'mayNotShowPassword',
                actions: { type: 'say', params: ({ event }) => replies.cleartextRefused(event.tag) },
              },
              {
                guard: { type: 'isAbsent', params: ({ event }) => ({ argument: event.initial }) },
                target: 'authenticating',
                actions: [
                  { type: 'keepTag', params: ({ event }) => event },
                  { type: 'say', params: replies.challenge },
                ],
              },
              {
                guard: { type: 'isPlainMessage', params: ({ event }) => event.initial! },
                target: 'loggingIn', // RFC 4959
                actions: { type: 'keepTag', params: ({ event }) => event },
              },
              { actions: { type: 'say', params: ({ event }) => replies.notAPlainMessage(event.tag) } },
            ],
            STARTTLS: [
              {
                guard: 'mayStartTls',
                target: 'securing',
                actions: [{ type: 'say', params: ({ event }) => replies.beginTls(event.tag) }, 'startTls'],
              },
              {
                actions: {
                  type: 'say',
                  params: ({ context, event }) => replies.noStartTls(event.tag, context.tls === 'active'),
                },
              },
            ],
            CAPABILITY: {
              actions: {
                type: 'say',
                params: ({ context, event }) => replies.capabilityListing(event.tag, capabilities(context, false)),
              },
            },
            NOOP: { actions: { type: 'say', params: ({ event }) => replies.completed(event.tag, 'NOOP') } },
            '*': {
              guard: 'needsLogIn',
              actions: { type: 'say', params: ({ event }) => replies.outOfPlace(event, 'log in first') },
            },
          },
        },
        authenticating: {
          // RFC 9051 §6.2.2: the next line is the client's response
          tags: 'ready',
          entry: 'expectResponse',
          on: {
            response: [
              {
                guard: { type: 'isPlainMessage', params: ({ event }) => event.response },
                target: 'loggingIn',
              },
              {
                target: 'ready',
                actions: { type: 'say', params: ({ context }) => replies.notAPlainMessage(context.tag) },
              },
            ],
            cancel: {
              target: 'ready',
              actions: { type: 'say', params: ({ context }) => replies.exchangeCancelled(context.tag) },
            },
            malformed: {
              target: 'ready',
              actions: { type: 'say', params: ({ context, event }) => replies.malformed(context.tag, event.reason) },
            },
          },
        },
        securing: {
          // RFC 9051 §6.2.1: the handshake is the driver's; after it all is as at the beginning, without a greeting
          on: { secured: { target: 'ready', actions: 'secure' } },
        },
        loggingIn: {
          invoke: {
            src: 'logIn',
            input: ({ context, event }) => {
              assertEvent(event, ['LOGIN', 'AUTHENTICATE', 'response']);
              return { session: context.session, ...credentials(event) };
            },
            onDone: [
              {
                guard: { type: 'accepted', params: ({ event }) => event.output },
                target: '#imap.authenticated',
                actions: {
                  type: 'say',
                  params: ({ context }) => replies.loggedIn(context.tag, capabilities(context, true)),
                },
              },
              {
                guard: { type: 'isOneTooMany', params: ({ event }) => event.output },
                target: '#imap.dismissed',
                actions: { type: 'say', params: ({ context }) => replies.tooManyFailures(context.tag) },
              },
              {
                target: 'ready',
                actions: [
                  { type: 'countFailure', params: ({ event }) => event.output },
                  { type: 'say', params: ({ context, event }) => notLoggedIn(context.tag, event.output) },
                ],
              },
            ],
            onError: {
              target: 'ready',
              actions: { type: 'say', params: ({ context }) => replies.faultAt(context.tag) },
            },
          },
        },
      },
    },
    authenticated: {
      // RFC 9051 §3.2
      initial: 'ready',
      states: oneCommand('authenticated'),
      on: {
        '*': {
          guard: 'needsSelected',
          actions: { type: 'say', params: ({ event }) => replies.outOfPlace(event, 'select a mailbox first') },
        },
      },
    },
    selected: {
      // RFC 9051 §3.3
      initial: 'ready',
      states: oneCommand('selected'),
    },
    logout: { type: 'final' }, // RFC 9051 §3.4
    dismissed: { type: 'final', tags: 'dismissed' },
  },
  on: {
    // in any state: RFC 9051 §6.1
    CAPABILITY: {
      actions: {
        type: 'say',
        params: ({ context, event }) => replies.capabilityListing(event.tag, capabilities(context, true)),
      },
    },
    ID: {
      actions: {
        type: 'say',
        params: ({ context, event }) =>
          replies.identified(event.tag, context.constants.product, context.constants.version),
      },
    },
    LOGOUT: { target: '.logout', actions: { type: 'say', params: ({ event }) => replies.loggedOut(event.tag) } },
    continue: { actions: { type: 'say', params: replies.goOn } },
    malformed: {
      actions: { type: 'say', params: ({ event }) => replies.malformed(event.tag, event.reason) },
    },
    stop: { target: '.dismissed', actions: { type: 'say', params: ({ event }) => replies.goodbye(event.reason) } },
    '*': {
      guard: 'isTagged',
      actions: { type: 'say', params: ({ event }) => replies.outOfPlace(event, 'not allowed now') },
    },
  },
});

// The answers that a guard has let through to this are refusals; a success there would be our own mistake.
const notLoggedIn = (tag: string, answer: LogIn): Response =>
  answer.ok ? replies.faultAt(tag) : replies.notLoggedIn(tag, answer.refusal);
