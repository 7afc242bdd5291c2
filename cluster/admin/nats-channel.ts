/**
 * Admin messages over NATS: `admin.all` and `admin.<node>` to the nodes, answers to an inbox below `admin.inbox.`, all of
 * it within what an operator's user may do (docs/nats.md). A reply subject anywhere else is not answered: a node's user
 * may publish more than an operator's, and must not do it for him.
 */
import { randomBytes } from 'node:crypto';
import type { Msg } from '@nats-io/transport-node';
import type { Log } from '../../telemetry/log.ts';
import type { Service } from '../bus/bus.ts';
import type { NatsLink } from '../nats/connect.ts';
import type { Subjects } from '../subjects.ts';
import type { AdminChannel, Answer } from './channel.ts';

export type NatsAdminChannelOptions = { readonly link: NatsLink; readonly subjects: Subjects; readonly log: Log };

export class NatsAdminChannel implements AdminChannel {
  readonly #link: NatsLink;
  readonly #subjects: Subjects;
  readonly #log: Log;

  constructor({ link, subjects, log }: NatsAdminChannelOptions) {
    this.#link = link;
    this.#subjects = subjects;
    this.#log = log;
  }

  async serve(me: string, hear: (message: Uint8Array, answer: Answer) => void): Promise<Service> {
    const inboxes = this.#subjects.adminInbox();
    const hearOne = (message: Msg) => {
      const { reply = '' } = message;
      hear(message.data, (octets) => {
        if (reply.startsWith(inboxes)) this.#publish(reply, octets);
      });
    };
    const own = new Set([this.#subjects.admin(undefined), this.#subjects.admin(me)]); // one, for a node called `all`
    const services = [...own].map((subject) => this.#listen(subject, hearOne));
    await this.#settled();
    return stopAll(services);
  }

  async send(to: string | undefined, message: Uint8Array, hear: (answer: Uint8Array) => void): Promise<Service> {
    const inbox = this.#subjects.adminInbox(randomBytes(16).toString('hex'));
    const service = this.#listen(inbox, ({ data }) => hear(data));
    this.#publish(this.#subjects.admin(to), message, inbox);
    await this.#settled();
    return service;
  }

  /** A lost message is told by its missing answer. */
  #publish(subject: string, octets: Uint8Array, reply?: string): void {
    try {
      this.#link.connection.publish(subject, octets, reply === undefined ? {} : { reply });
    } catch (error) {
      this.#log.warn('nats: an admin message could not be sent', { subject, reason: (error as Error).message });
    }
  }

  /** Nothing may be thrown into the NATS client: it would stop reading. */
  #listen(subject: string, hear: (message: Msg) => void): Service {
    const callback = (error: Error | null, message: Msg) => {
      if (error) return this.#log.error('nats: subscription ended', { subject, reason: error.message });
      if (message.data.length === 0) return; // the server's word that nobody hears it (503)
      try {
        hear(message);
      } catch (fault) {
        this.#log.error('an admin message could not be heard', { subject, fault });
      }
    };
    const subscription = this.#link.connection.subscribe(subject, { callback });
    return { stop: async () => subscription.unsubscribe() };
  }

  async #settled(): Promise<void> {
    if (!this.#link.connected()) return;
    await this.#link.connection.flush().catch((error: Error) => {
      this.#log.debug('nats: connection lost while subscribing', { reason: error.message });
    });
  }
}

const stopAll = (services: readonly Service[]): Service => ({
  stop: async () => {
    for (const service of services) await service.stop();
  },
});
