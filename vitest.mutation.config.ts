import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Runs examples before properties: they are faster, and the first test that fails ends the run for a mutant. */
class ExamplesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isProperty = ({ moduleId }: TestSpecification) => Number(moduleId.endsWith(".property.test.ts"));
    return files.toSorted((a, b) => isProperty(a) - isProperty(b));
  }
}

/** The tests of src/core in plain Node, where mutants can be switched on one after the other. */
export default defineConfig({
  test: { include: ["test/unit/core/**/*.test.ts"], sequence: { sequencer: ExamplesFirst } },
});
