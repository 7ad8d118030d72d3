/** As machine-id(5) has it. `uninitialized`, nothing at all or what somebody typed in there tells no machine from another. */
export const isMachineId = (id: string | undefined): id is string =>
  id !== undefined && /^[0-9a-f]{32}$/.test(id) && !/^0{32}$/.test(id)

/** Also true of two machines that were made from one image: a reason to look closer, and no proof. */
export const haveOneMachineId = (a: string | undefined, b: string | undefined): boolean => isMachineId(a) && a === b
