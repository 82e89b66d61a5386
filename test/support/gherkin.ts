/**
 * As much of Gherkin as acceptance tables need: one background, scenarios, outlines with examples,
 * steps with a table. Each line of examples becomes a scenario.
 */

export interface Step {
  /** Without its keyword. */
  readonly text: string
  /** Rows of cells, the header first. */
  readonly table: readonly (readonly string[])[]
}

export interface Scenario {
  readonly name: string
  /** The steps of the background first. */
  readonly steps: readonly Step[]
}

type Block = { name: string; steps: { text: string; table: string[][] }[]; examples: string[][] }

export function parseFeature(text: string): Scenario[] {
  const blocks: Block[] = []
  let table: string[][] | undefined
  for (const line of text.split(/\r?\n/).map((each) => each.trim())) {
    const block = blocks[blocks.length - 1]
    const heading = /^(Background|Scenario|Scenario Outline):\s*(.*)$/.exec(line)
    const step = /^(?:Given|When|Then|And|But)\s+(.*)$/.exec(line)
    if (heading !== null) {
      blocks.push({ name: `${heading[1]}: ${heading[2]}`, steps: [], examples: [] })
    } else if (line === 'Examples:') {
      table = block!.examples
    } else if (step !== null) {
      table = []
      block!.steps.push({ text: step[1]!, table })
    } else if (line.startsWith('|')) {
      table!.push(cellsOf(line))
    } else if (line !== '' && !line.startsWith('Feature:')) {
      throw new Error(`a line that is no Gherkin known here: ${line}`)
    }
  }
  const background = blocks.filter((block) => block.name.startsWith('Background'))
  const scenarios = blocks.filter((block) => !block.name.startsWith('Background'))
  return scenarios.flatMap((scenario) => expand(scenario, background[0]?.steps ?? []))
}

function expand(block: Block, background: readonly Step[]): Scenario[] {
  const [header, ...rows] = block.examples
  if (header === undefined) return [{ name: block.name, steps: [...background, ...block.steps] }]
  return rows.map((row) => {
    const fill = (text: string) =>
      text.replace(/<([^>]+)>/g, (_all, name: string) => row[header.indexOf(name)]!)
    const steps = block.steps.map(({ text, table }) => ({
      text: fill(text),
      table: table.map((cells) => cells.map(fill)),
    }))
    return { name: `${block.name} (${row.join(', ')})`, steps: [...background, ...steps] }
  })
}

function cellsOf(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())
}
