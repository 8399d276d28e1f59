/** What a runtime lets its program do about garbage. @module */

/** The heap of the thread that asks. */
export interface Memory {
  /** Collects what died since the last collection; what is older is not looked at. */
  collectYoung(): void;
  /** Collects everything, and gives back what is free. Takes longer: some 50 ms for 50 MB alive. */
  collectAll(): void;
}
