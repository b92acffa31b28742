import type { Instant } from '@postern/shared';
import {
  type BinaryOperationNode,
  ColumnNode,
  type ColumnUpdateNode,
  type InsertQueryNode,
  type KyselyPlugin,
  type OperationNode,
  OperationNodeTransformer,
  type PluginTransformQueryArgs,
  type PrimitiveValueListNode,
  type RawBuilder,
  ReferenceNode,
  type RootOperationNode,
  sql,
  type ValueListNode,
  ValueNode,
} from 'kysely';

/**
 * How a timestamptz column is called, and nothing else is; a test walks the schema.
 * The plugin below goes by it.
 */
export const INSTANT_COLUMN = /(^|_)(at|until|before|since)$/;

/** An Instant in raw SQL: `` sql`… ${ts(now)}` ``. The query builder needs none of it. */
export const ts = (at: Instant): RawBuilder<Instant> => sql<Instant>`${iso(at)}::timestamptz`;

const iso = (at: number): string => new Date(at).toISOString();

/** Sends Instants (milliseconds) that are written to or compared with an instant column as RFC 3339. */
class InstantTransformer extends OperationNodeTransformer {
  protected override transformInsertQuery(node: InsertQueryNode): InsertQueryNode {
    const { columns, values } = node;
    if (!columns || values?.kind !== 'ValuesNode') return super.transformInsertQuery(node);
    const instants = columns.map((column) => INSTANT_COLUMN.test(column.column.name));
    if (!instants.includes(true)) return super.transformInsertQuery(node);
    const rows = (values as unknown as { values: readonly RowNode[] }).values;
    const converted = { ...values, values: rows.map((row) => convertRow(row, instants)) };
    return super.transformInsertQuery({ ...node, values: converted });
  }

  protected override transformColumnUpdate(node: ColumnUpdateNode): ColumnUpdateNode {
    if (!isInstant(node.column)) return super.transformColumnUpdate(node);
    return super.transformColumnUpdate({ ...node, value: convert(node.value) });
  }

  protected override transformBinaryOperation(node: BinaryOperationNode): BinaryOperationNode {
    if (!isInstant(node.leftOperand)) return super.transformBinaryOperation(node);
    return super.transformBinaryOperation({ ...node, rightOperand: convert(node.rightOperand) });
  }
}

type RowNode = ValueListNode | PrimitiveValueListNode;

function isInstant(node: OperationNode): boolean {
  const column = ReferenceNode.is(node) ? node.column : node;
  return ColumnNode.is(column) && INSTANT_COLUMN.test(column.column.name);
}

function convertRow(row: RowNode, instants: readonly boolean[]): RowNode {
  if (row.kind === 'PrimitiveValueListNode')
    return { ...row, values: row.values.map((v, i) => (instants[i] ? convertValue(v) : v)) };
  return { ...row, values: row.values.map((v, i) => (instants[i] ? convert(v) : v)) };
}

const convertValue = (value: unknown): unknown => (typeof value === 'number' ? iso(value) : value);

function convert(node: OperationNode): OperationNode {
  if (ValueNode.is(node)) return { ...node, value: convertValue(node.value) } as ValueNode;
  if (node.kind === 'PrimitiveValueListNode') {
    const list = node as PrimitiveValueListNode;
    return { ...list, values: list.values.map(convertValue) } as PrimitiveValueListNode;
  }
  if (node.kind === 'AndNode') {
    // between: <low> and <high>
    const { left, right } = node as unknown as { left: OperationNode; right: OperationNode };
    return { ...node, left: convert(left), right: convert(right) } as OperationNode;
  }
  return node;
}

export class InstantPlugin implements KyselyPlugin {
  readonly #transformer = new InstantTransformer();

  transformQuery({ node }: PluginTransformQueryArgs): RootOperationNode {
    return this.#transformer.transformNode(node);
  }

  async transformResult<T>({ result }: { result: T }): Promise<T> {
    return result;
  }
}
