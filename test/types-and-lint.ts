import { join } from 'node:path'
import { ESLint, type Linter } from 'eslint'
import ts from 'typescript'
import reactHooks from 'eslint-plugin-react-hooks'
import tseslint from 'typescript-eslint'
import { ROOT } from './part.ts'

/**
 * What `tsc` and `eslint .` say, in one process: they share the program, which both would spend a quarter of their time on.
 * `--quick`: without those rules that have the React compiler read each component, which takes a quarter as well, and without
 * those that ask for types where they look at tests.
 */
const isQuick = process.argv.includes('--quick')
const program = compilation()
const problems = ts.getPreEmitDiagnostics(program)
if (problems.length > 0) console.log(ts.formatDiagnosticsWithColorAndContext(problems, host()))

const eslint = new ESLint({
  cwd: ROOT,
  overrideConfig: [
    {
      files: ['**/*.{ts,tsx}'],
      languageOptions: { parserOptions: { projectService: false, programs: [program] } }
    },
    ...(isQuick ? [withoutCompiler(), withoutTypes()] : [])
  ]
})
const results = await eslint.lintFiles(['.'])
const found = await (await eslint.loadFormatter('stylish')).format(results)
if (found !== '') console.log(found)

const isClean =
  problems.length === 0 && results.every(({ errorCount, warningCount }) => errorCount + warningCount === 0)
process.exitCode = isClean ? 0 : 1

/** What is excused from these rules is no excuse too many then. */
function withoutCompiler(): Linter.Config {
  const plain = ['react-hooks/rules-of-hooks', 'react-hooks/exhaustive-deps']
  const rules = Object.keys(reactHooks.configs.flat.recommended.rules)
  return {
    files: ['src/renderer/**/*.{ts,tsx}'],
    linterOptions: { reportUnusedDisableDirectives: 'off' },
    rules: Object.fromEntries(rules.filter((rule) => !plain.includes(rule)).map((rule) => [rule, 'off']))
  }
}

function withoutTypes(): Linter.Config {
  const rules = tseslint.configs.disableTypeChecked.rules ?? {}
  return { files: ['test/**/*.ts'], linterOptions: { reportUnusedDisableDirectives: 'off' }, rules }
}

function compilation(): ts.Program {
  const path = join(ROOT, 'tsconfig.json')
  const onUnRecoverableConfigFileDiagnostic = (problem: ts.Diagnostic): never => {
    throw new Error(ts.formatDiagnostic(problem, host()))
  }
  const config = ts.getParsedCommandLineOfConfigFile(path, undefined, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic
  })
  if (config === undefined) throw new Error(`${path} cannot be read`)
  // What of the last time is kept is for programs that do not lint.
  const { tsBuildInfoFile: _, ...options } = config.options
  return ts.createProgram({
    rootNames: config.fileNames,
    options: { ...options, incremental: false },
    configFileParsingDiagnostics: config.errors
  })
}

function host(): ts.FormatDiagnosticsHost {
  return { getCurrentDirectory: () => ROOT, getCanonicalFileName: (name) => name, getNewLine: () => '\n' }
}
