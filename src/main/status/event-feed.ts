/** Hands the news of the connection core to whoever listens at the moment. */
import type { News } from '../../shared/connection/news.ts';
import { statusEventOf } from '../../shared/report/status-event.ts';
import type { StatusEvent } from '../../shared/report/status-schema.ts';

type Listener = (event: StatusEvent) => void;

export class EventFeed {
  readonly #isoNow: () => string;
  readonly #listeners = new Set<Listener>();

  /** `isoNow`: the time of day as ISO 8601. */
  constructor(isoNow: () => string) {
    this.#isoNow = isoNow;
  }

  /** `listener` hears of everything from now on; the answer ends that. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  publish(news: News): void {
    if (this.#listeners.size === 0) return;
    const event = statusEventOf(news, this.#isoNow());
    for (const listener of this.#listeners) listener(event);
  }
}
