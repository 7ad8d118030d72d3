/** Folders of what came with a host's programs: another host has the like from its own packages. */
export const FROM_PACKAGES =
  /^\/(usr\/share|usr\/lib(32|64)?|usr\/libexec|nix\/store|run\/libvirt\/nix-(ovmf|emulators))\//

/** By its name alone. */
export const isPackaged = (path: string): boolean => FROM_PACKAGES.test(path)
