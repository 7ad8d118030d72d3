/** On both hosts, the same files. */
export const SHARED = '/srv/shared'
/** File systems of their own, which can be filled: images of one VM, and a store. */
export const SMALL = '/srv/small'
export const TIGHT = '/srv/tight'
/** What owners and other tools put down. */
export const OWNERS = '/srv/chaos'
/** Opens one host to the other, as migrations need it. */
export const LAB_KEY = '/root/.ssh/chaos'
