from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_runner.table import SAMPLES, SERIES, Columns, Table
from qa_runner.text_column import TextColumn

COLUMNS = Columns(numbers=("time", "value"), texts=("name", "text"))

_NUMBERS = st.one_of(
    st.floats(),
    st.integers(-(2**53), 2**53).map(float),
    st.sampled_from([math.nan, 0.0, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, math.inf]),
)
_TEXTS = st.one_of(
    st.text(),
    st.text(alphabet="\",\n\r\t \x00\x1b\u2028\ud800\udfffa;'="),
    st.sampled_from(["", '"', "\n", "\r\n", "a\rb", "\ud800", "nan", '{"a": "b,\\n"}']),
)
_ROWS = st.lists(st.tuples(_NUMBERS, _NUMBERS, _TEXTS, _TEXTS), max_size=12)


def table_of(rows: list[tuple[float, float, str, str]]) -> Table:
    names = COLUMNS.names
    return Table.from_rows(COLUMNS, [dict(zip(names, row, strict=True)) for row in rows])


def assert_same(found: Table, wanted: Table) -> None:
    assert len(found) == len(wanted)
    for name in wanted.columns.numbers:
        np.testing.assert_array_equal(found.number(name), wanted.number(name))
    for name in wanted.columns.texts:
        assert found.text(name) == wanted.text(name)


@given(_ROWS)
def test_csv_reads_back_exactly(rows: list[tuple[float, float, str, str]]) -> None:
    wanted = table_of(rows)
    assert_same(Table.from_csv(COLUMNS, wanted.to_csv()), wanted)


@given(_ROWS, _ROWS)
def test_what_is_appended_without_a_header_reads_back_behind_the_rest(
    first: list[tuple[float, float, str, str]], second: list[tuple[float, float, str, str]]
) -> None:
    text = table_of(first).to_csv() + table_of(second).to_csv(header=False)
    assert_same(Table.from_csv(COLUMNS, text), table_of(first + second))


@given(_ROWS, st.data())
def test_a_file_cut_off_anywhere_reads_as_the_whole_rows_before_the_cut(
    rows: list[tuple[float, float, str, str]], data: st.DataObject
) -> None:
    text = table_of(rows).to_csv()
    cut = data.draw(st.integers(0, len(text)))
    found = Table.from_csv(COLUMNS, text[:cut])
    ends = [len(table_of(rows[:count]).to_csv()) for count in range(len(rows) + 1)]
    whole = sum(end <= cut for end in ends[1:])
    assert_same(found, table_of(rows[:whole]))


def test_the_first_line_of_a_file_names_the_columns_and_nan_is_an_empty_field() -> None:
    table = table_of([(1.0, math.nan, "a", "b,c")])
    assert table.to_csv() == 'time,value,name,text\n1,,a,"b,c"\n'
    assert table.to_csv(header=False) == '1,,a,"b,c"\n'


def test_an_empty_table_keeps_its_shape() -> None:
    empty = Table(COLUMNS)
    assert len(empty) == 0
    assert empty.number("time").shape == (0,)
    assert_same(Table.from_csv(COLUMNS, empty.to_csv()), empty)
    assert_same(Table.from_csv(COLUMNS, ""), empty)


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n",
        "time,value,name\n",
        "name,text,time,value\n",
        "\n",
        "\x00\n",
        "time,value,name,text\nsoon,1,a,b\n",
        "time,value,name,text\n1,2,a,b\n1,2,a\n1,2,a,b\n",
        "time,value,name,text\n\n",
    ],
)
def test_other_columns_or_words_for_numbers_are_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"columns|number|float|fields"):
        Table.from_csv(COLUMNS, text)


def test_a_text_may_be_longer_than_the_csv_module_likes() -> None:
    table = table_of([(1.0, 2.0, "header", "x," * 200_000)])
    assert_same(Table.from_csv(COLUMNS, table.to_csv()), table)


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        Table(COLUMNS, {"time": [1.0, 2.0], "name": ["a"]})


def test_missing_columns_are_absent_values() -> None:
    table = Table(COLUMNS, {"time": [1.0, 2.0]})
    assert np.isnan(table.number("value")).all()
    assert table.text("name") == ["", ""]
    rows = Table.from_rows(COLUMNS, [{"value": None, "name": None}, {"value": 0, "name": "x"}])
    np.testing.assert_array_equal(rows.number("value"), [math.nan, 0.0])
    assert rows.text("name") == ["", "x"]


def test_rows_are_picked_in_order_by_mask_text_and_time() -> None:
    table = table_of([(t, t * t, "odd" if t % 2 else "even", str(t)) for t in range(5)])
    assert table.where(table.number("value") > 3).text("text") == ["2", "3", "4"]
    assert table.where(table.text_equals("name", "odd")).text("text") == ["1", "3"]
    assert table.between(1, 3).text("text") == ["1", "2", "3"]
    assert table.between(3, 10, "value").text("text") == ["2", "3"]
    assert len(table.between(9, 10)) == 0


def test_a_time_that_is_absent_is_in_no_window() -> None:
    table = table_of([(math.nan, 0.0, "", ""), (1.0, 0.0, "", "in")])
    assert table.between(-math.inf, math.inf).text("text") == ["in"]


def test_tables_are_put_one_after_the_other() -> None:
    first, second = table_of([(1, 2, "a", "b")]), table_of([(3, 4, "c", "d")])
    both = Table.concatenate(COLUMNS, [first, Table(COLUMNS), second])
    assert both.text("name") == ["a", "c"]
    np.testing.assert_array_equal(both.number("time"), [1, 3])
    assert len(Table.concatenate(COLUMNS, [])) == 0


def test_no_two_columns_of_a_table_have_one_name() -> None:
    for columns in (SAMPLES, *SERIES.values()):
        assert len(set(columns.names)) == len(columns.names)
    assert all("time" in columns.numbers for columns in SERIES.values())
    assert all("session" in columns.numbers for columns in (SAMPLES, *SERIES.values()))


# ---------------------------------------------------------------- compact columns


_CHUNKS = st.lists(_ROWS, max_size=5)


@given(_CHUNKS, st.data())
def test_a_table_of_many_blocks_is_what_its_rows_are(
    chunks: list[list[tuple[float, float, str, str]]], data: st.DataObject
) -> None:
    rows = [row for chunk in chunks for row in chunk]
    table = Table.concatenate(COLUMNS, [table_of(chunk) for chunk in chunks])
    assert_same(table, table_of(rows))
    kept = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    picked = table.where(np.array(kept, dtype=bool))
    wanted = [row for row, chosen in zip(rows, kept, strict=True) if chosen]
    assert_same(picked, table_of(wanted))
    assert_same(Table.concatenate(COLUMNS, [picked, table]), table_of(wanted + rows))
    assert_same(Table.concatenate(COLUMNS, list(picked.pieces())), table_of(wanted))
    names = [row[2] for row in wanted]
    assert picked.counts("name") == Counter(names)
    assert picked.distinct("name") == list(dict.fromkeys(names))
    codes, texts = picked.coded("name")
    assert [texts[code] for code in codes] == names
    assert len(set(texts)) == len(texts)
    some = set(names[:1])
    assert picked.text_among("name", some).tolist() == [name in some for name in names]
    numbers = [place for place, chosen in enumerate(kept) if chosen]
    assert_same(table.rows(np.array(numbers, dtype=np.intp)), table_of(wanted))


@given(_CHUNKS)
def test_texts_are_replaced_also_where_two_become_one(
    chunks: list[list[tuple[float, float, str, str]]],
) -> None:
    rows = [row for chunk in chunks for row in chunk]
    table = Table.concatenate(COLUMNS, [table_of(chunk) for chunk in chunks])
    found = table.with_texts(lambda text: text[:1], ("name",))
    wanted = [row[2][:1] for row in rows]
    assert found.text("name") == wanted
    assert found.counts("name") == Counter(wanted)
    assert found.text("text") == table.text("text")


def test_very_many_small_tables_are_kept_as_few_blocks() -> None:
    table = Table(SAMPLES)
    for number in range(1000):
        key = TextColumn.same(("k", ""), 1)
        rows = {
            "iteration": [number],
            "key": key,
            "error": [f"e{number}"],
        }
        table = Table.concatenate(SAMPLES, [table, Table(SAMPLES, rows)])
    assert sum(1 for _ in table.kept()) <= 64
    assert table.number("iteration").tolist() == list(range(1000))
    assert table.text("key") == [f"k{number + 1}" for number in range(1000)]
    assert table.text("error") == [f"e{number}" for number in range(1000)]


@pytest.mark.parametrize(
    ("name", "value"),
    [("status", 200.5), ("reused", 128), ("session", 2**15), ("iteration", math.inf)],
)
def test_a_number_that_should_be_whole_and_is_not_or_does_not_fit_is_refused(
    name: str, value: float
) -> None:
    with pytest.raises(ValueError, match=rf"{name} is a whole number of \d+ bits"):
        Table(SAMPLES, {name: [value]})


def test_whole_numbers_come_back_as_floats_the_absent_ones_as_nan() -> None:
    table = Table(SAMPLES, {"bytes_received": [2.0**40, math.nan], "user": [-1, 7]})
    np.testing.assert_array_equal(table.number("bytes_received"), [2.0**40, math.nan])
    assert table.number("user").dtype == np.float64
    assert table.number("user").tolist() == [-1, 7]


def test_a_million_rows_take_what_the_documentation_says() -> None:
    size = 1_000_000
    # Nobody asked for the times inside the server.
    names = [name for name in SAMPLES.numbers if name not in SAMPLES.later]
    data: dict[str, object] = {name: np.zeros(size) for name in names}
    data |= {name: TextColumn.same("x", size) for name in SAMPLES.texts}
    table = Table(SAMPLES, data)
    (block,) = Table.concatenate(SAMPLES, [table.where(np.arange(size) >= 0)])._blocks
    held = sum(values.nbytes for values in block.numbers.values())
    held += sum(column.codes.nbytes for column in block.texts.values())
    assert held <= 100 * size + 100


def test_numbers_that_no_row_has_take_no_memory_and_are_absent() -> None:
    table = Table(SAMPLES)
    for number in range(1000):
        rows = Table(SAMPLES, {"iteration": [number], "due": [1.0 * number]})
        table = Table.concatenate(SAMPLES, [table, rows])
    for block in table._blocks:
        assert block.numbers["database_seconds"].nbytes == 8
        assert block.numbers["queries"].nbytes == 4
    some = table.rows(np.array([3, 997]))
    told = Table(SAMPLES, {"iteration": [7], "queries": [9], "database_seconds": [0.5]})
    mixed = Table.concatenate(SAMPLES, [some, told, some])
    nan = math.nan
    np.testing.assert_array_equal(mixed.number("queries"), [nan, nan, 9, nan, nan])
    np.testing.assert_array_equal(mixed.number("database_seconds"), [nan, nan, 0.5, nan, nan])
    np.testing.assert_array_equal(mixed.number("due"), [3, 997, nan, 3, 997])
    many = Table.concatenate(
        SAMPLES, [told.rows(np.array([0])) if i % 3 else some for i in range(99)]
    )
    assert np.isfinite(many.number("queries")).sum() == 66
    assert len(many) == 132


def test_a_file_without_the_columns_that_came_later_reads_and_one_without_others_does_not() -> None:
    columns = Columns(numbers=("a", "b", "c"), texts=("d",), later=frozenset({"b"}))
    table = Table.from_csv(columns, "a,c,d\n1,2,x\n")
    assert (table.number("a").tolist(), table.number("c").tolist()) == ([1.0], [2.0])
    assert np.isnan(table.number("b")).tolist() == [True]
    assert table.text("d") == ["x"]
    assert Table.from_csv(columns, table.to_csv()).number("c").tolist() == [2.0]
    for text in ("a,b,d\n1,2,x\n", "c,a,d\n1,2,x\n", "a,c,c,d\n1,2,2,x\n", "a,c,d\n1,2\n"):
        with pytest.raises(ValueError, match=r"expected the columns|fields"):
            Table.from_csv(columns, text)
