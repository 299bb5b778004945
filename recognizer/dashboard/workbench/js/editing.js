// Corrections by mouse and keyboard.

export class Editing {
    // root: the workbench's outermost element, for menus; tools: an empty element for buttons
    constructor(root, model, player, lanes, tools) {
        Object.assign(this, { root, model, player, lanes, tools });
    }

    end() {} // eslint-disable-line class-methods-use-this -- nothing is drawn yet
}
