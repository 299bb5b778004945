// Sends at most one request at a time; of those that wait, only the latest is sent.

export class Latest {
    constructor(send) {
        this.send = send;
        this.running = null;
        this.waiting = null;
    }

    // Answer with the reply, or null if a later request has overtaken this one.
    ask(request) {
        this.waiting?.settle(null);
        return new Promise((resolve, reject) => {
            this.waiting = { request, settle: resolve, fail: reject };
            if (!this.running) this.next();
        });
    }

    async next() {
        while (this.waiting) {
            const { request, settle, fail } = this.running = this.waiting;
            this.waiting = null;
            try {
                settle(await this.send(request)); // eslint-disable-line no-await-in-loop -- one after the other
            } catch (error) {
                fail(error);
            }
        }
        this.running = null;
    }
}
