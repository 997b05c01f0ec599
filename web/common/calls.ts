// The page's end of a core: questions to the worker that holds it, answers in any order.

export interface Said { ok: boolean; error?: string }

export class Calls {
  private worker = new Worker("core.js");
  private waiting = new Map<number, (reply: any) => void>();
  private next = 1;

  constructor(died: (why: string) => void) {
    this.worker.onmessage = ({ data }) => {
      if (data.died) { this.waiting.clear(); this.worker.terminate(); return died(data.error ?? ""); }
      this.waiting.get(data.id)?.(data.reply);
      this.waiting.delete(data.id);
    };
    this.worker.onerror = (e) => died(e.message);
  }

  protected ask<T extends Said>(op: string, ...args: unknown[]): Promise<T> {
    return new Promise((done) => {
      const id = this.next++;
      this.waiting.set(id, done);
      this.worker.postMessage({ id, op, args });
    });
  }

  stop() { this.worker.terminate(); }
}
