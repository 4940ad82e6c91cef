/** A value that cannot be worked with; the message says what was expected and what came. */
export class ParameterError extends Error {}

/** The work was stopped between two steps. */
export class Cancelled extends Error {}
