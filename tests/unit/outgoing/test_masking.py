"""No count of one to four people is given, nor found by subtraction."""

from hypothesis import given
from hypothesis import strategies as st

from operations.outgoing.masking import K, hidden

CHILDREN = st.dictionaries(st.sampled_from([f"00{n}" for n in range(9)]), st.integers(0, 12), min_size=1)


def test_small_counts_are_hidden_and_nobody_is_not():
    assert hidden({"a": 4, "b": 0, "c": 5}, {}) == {"a"}


def test_one_hidden_child_takes_the_smallest_other_with_it():
    values = {"1": 23, "1a": 3, "1b": 12, "1c": 8}
    assert hidden(values, {"1": None, "1a": "1", "1b": "1", "1c": "1"}) == {"1a", "1c"}


def test_what_hides_its_base_hides_what_is_counted_on_it():
    assert hidden({"a": 40, "b": 50}, {}, also={"a", "elsewhere"}) == {"a"}


@given(st.dictionaries(st.sampled_from("abc"), CHILDREN, min_size=1))
def test_no_difference_between_a_place_and_its_parts_is_one_to_four(tree):
    values, parents = {}, {}
    for street, communities in tree.items():
        for name, count in communities.items():
            values[street + name], parents[street + name] = count, street
        values[street], parents[street] = sum(communities.values()), ""
    values[""], parents[""] = sum(values[street] for street in tree), None
    concealed = hidden(values, parents)
    for parent in ["", *tree]:
        family = [place for place in values if parents[place] == parent]
        unseen = [place for place in family if place in concealed]
        rest = sum(values[place] for place in unseen)
        assert parent in concealed or not unseen or rest == 0 or rest >= K or len(unseen) == len(family)
        assert parent not in concealed or unseen or not family
