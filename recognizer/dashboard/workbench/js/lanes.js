// A lane for each person: presence, segments and the playhead.

export class Lanes {
    // host: an empty element as wide as the workbench; the lanes set its height, and more than eight scroll in it
    constructor(host, model, player) {
        Object.assign(this, { host, model, player });
    }

    // factor > 1 shows less time, around the playhead
    zoom() {} // eslint-disable-line class-methods-use-this -- not drawn yet

    end() {} // eslint-disable-line class-methods-use-this
}
