/** Called between two steps by their names, so that a test can break off there. */
export type Between = (step: string) => Promise<void>
export const nothingBetween: Between = () => Promise.resolve()
