import { spawn } from 'node:child_process'
import { rootPrefix } from './packages.ts'
import { LabError } from './run.ts'

/**
 * Runs a script's main part as root: right here, or by running the script again through `sudo -n`. Sets the exit code;
 * failures of the lab are told in words.
 */
export async function asRoot(script: string, argv: readonly string[], main: () => Promise<number>): Promise<void> {
  try {
    const [sudo, ...rest] = await rootPrefix()
    process.exitCode = sudo === undefined ? await main() : await inherit([sudo, ...rest, ...again(script, argv)])
  } catch (error) {
    console.error(error instanceof LabError ? error.message : error)
    process.exitCode = 1
  }
}

function again(script: string, argv: readonly string[]): string[] {
  const kept = ['PATH', 'STILLPOINT_LAB_DIR'].map((name) => `${name}=${process.env[name] ?? ''}`)
  return ['env', ...kept.filter((pair) => !pair.endsWith('=')), process.execPath, script, ...argv]
}

/** A program on this terminal; answers its exit code. */
export async function inherit([program = '', ...args]: readonly string[]): Promise<number> {
  const child = spawn(program, args, { stdio: 'inherit' })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve(code ?? 1))
  })
}
