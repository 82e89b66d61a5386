/**
 * 0, which V8 keeps as a double: what a field starts with that will hold more than 2³¹ or a fraction.
 * A field that starts as a small integer changes its kind when the first such value comes, and V8 then
 * throws away all code that knows the object, and compiles it anew: 20 ms without an answer
 * (docs/decisions/0030).
 */
export const DOUBLE_ZERO = -0
