// Who owns a session: the tab that holds the Web Lock `clawft:NAME`. Others see it live over a
// BroadcastChannel, and may take it over: the owner saves, closes its log and lets go. In the
// worker; the page shows what it is told.

const SILENCE = 5000;
const LATE = 1000;

/**
 * @typedef {{ taken: () => Promise<void>, look: () => any, seen: (event: any) => void }} Hooks taken: save and close; look: what a new viewer gets to see; seen: what the owner shows
 */

export class Tab {
  /** @param {string} session @param {Hooks} hooks */
  constructor(session, hooks) {
    this.name = `clawft:${session}`;
    this.hooks = hooks;
    this.owner = false;
    /** @type {(() => void) | undefined} */
    this.release = undefined;
    this.channel = new BroadcastChannel(this.name);
    this.channel.onmessage = ({ data }) => void this.hear(data);
    /** @type {((heard: string) => void)[]} */
    this.waiting = [];
  }

  /**
   * Takes the lock, if it is free or is to be stolen.
   * @param {LockOptions} options
   * @returns {Promise<boolean>}
   */
  own(options = { ifAvailable: true }) {
    return new Promise((resolve, reject) => {
      navigator.locks
        .request(this.name, options, (lock) => {
          this.owner = lock !== null;
          resolve(this.owner);
          return lock && new Promise((release) => (this.release = () => release(undefined)));
        })
        // Another one has stolen it: nothing more may be written.
        .catch((error) => (this.owner ? this.lose() : reject(error)));
    });
  }

  /**
   * Takes the lock if nobody has it. A page that is being left lets go late: there is a second for
   * that, unless an owner answers.
   * @returns {Promise<boolean>}
   */
  async free() {
    if (await this.own()) return true;
    const end = new AbortController();
    const owned = this.own({ signal: end.signal }).catch(() => false);
    const heard = new Promise((resolve) => {
      this.waiting.push(resolve);
      setTimeout(() => resolve(false), LATE);
    });
    this.tell({ type: "ping" });
    if ((await Promise.race([owned, heard])) !== true) end.abort();
    return this.owner;
  }

  async lose() {
    this.owner = false;
    await this.hooks.taken();
    this.tell({ type: "released" });
  }

  /** Saves, closes, and lets go. */
  async letGo() {
    if (!this.owner) return;
    await this.lose();
    this.release?.();
  }

  /** @param {any} message */
  tell(message) {
    this.channel.postMessage(message);
  }

  /** @param {any} message */
  async hear(message) {
    this.waiting.splice(0).forEach((done) => done(message.type));
    if (this.owner) {
      if (message.type === "ping") this.tell({ type: "pong" });
      if (message.type === "look") this.tell({ type: "view", event: this.hooks.look() });
      if (message.type === "take") await this.letGo();
    } else if (message.type === "view") this.hooks.seen(message.event);
  }

  /**
   * Asks the owner for the session.
   * @returns {Promise<boolean>} false: it gives no sign, and may be overridden
   */
  async take() {
    this.tell({ type: "take" });
    const heard = new Promise((resolve) => {
      this.waiting.push(resolve);
      setTimeout(() => resolve(""), SILENCE);
    });
    // The lock is there as soon as the owner lets go, whoever says so.
    const end = new AbortController();
    const owned = this.own({ signal: end.signal }).then(() => "owned", () => "");
    const first = await Promise.race([heard, owned]);
    if (first) return (await owned) === "owned";
    end.abort();
    return this.owner;
  }

  steal() {
    return this.own({ steal: true });
  }
}
