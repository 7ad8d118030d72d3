import type { Bridge } from '../../shared/contract.ts'

declare global {
  interface Window {
    /** Put here by the preload; nothing else of the outside is. */
    readonly stillpoint: Bridge
  }
}

export const theCore = (): Bridge => window.stillpoint
